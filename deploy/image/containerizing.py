"""From a Bento to an image: BentoML's `containerize` with the backend, the base and the network of whoever builds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.image.bento import NAME, Workshop, bentoml_program
from deploy.image.engine import Engine
from deploy.image.programs import run
from deploy.image.settings import Backend, ImageSettings, path_variable


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One build. `options` are BentoML's `--opt`; `variables` are of the builder's environment."""

    reference: str
    backend: Backend
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        given = [f"build-arg={name}={value}" for name, value in self.build_arguments.items()]
        given += [f"label={name}={value}" for name, value in self.labels.items()]
        given += [f"{name}={value}" for name, value in self.options.items()]
        return [part for option in given for part in ("--opt", option)]

    def plain_arguments(self) -> list[str]:
        """The same for a builder that is called without BentoML."""
        given = [("build-arg", f"{name}={value}") for name, value in self.build_arguments.items()]
        given += [("label", f"{name}={value}") for name, value in self.labels.items()]
        given += list(self.options.items())
        return [part for name, value in given for part in (f"--{name}", value)]


def recipe_of(settings: ImageSettings, reference: str, labels: Mapping[str, str], engine: Engine) -> Recipe:
    return Recipe(
        reference=reference,
        backend=settings.backend,
        build_arguments=_build_arguments(settings),
        labels={**labels, **_created(settings)},
        options=_options(settings),
        variables={**engine.variables, **builder_variables(settings.backend, engine)},
    )


def containerize(workshop: Workshop, version: str, recipe: Recipe) -> None:
    """BentoML reads its own template only from below the current folder, and writes it to the temporary one."""
    command = [bentoml_program(), "containerize", f"{NAME}:{version}", "--backend", recipe.backend]
    command += ["--image-tag", recipe.reference, *recipe.arguments()]
    run(command, cwd=workshop.root, extra={**workshop.variables, **recipe.variables})


def builder_variables(backend: Backend, engine: Engine) -> dict[str, str]:
    """Docker's client before 23 and one with buildx can BuildKit; a newer one without that plug-in cannot.

    An engine of our own is called by the client that came with it, and found first by BentoML too.
    """
    if backend is not Backend.DOCKER:
        return {}
    first = {"PATH": f"{Path(engine.program).parent}{os.pathsep}{path_variable()}"} if engine.private else {}
    if engine.succeeds("buildx", "version"):
        return first
    newest = engine.run("version", "--format", "{{.Client.Version}}").strip().split(".")[0]
    return {**first, "DOCKER_BUILDKIT": "0"} if newest.isdigit() and int(newest) >= 23 else first


def build_training_image(project: Path, recipe: Recipe) -> None:
    """The Dockerfile of the training environment, with the project as its context."""
    command = [
        recipe.backend,
        "build",
        "--file",
        "deploy/image/training.Dockerfile",
        "--tag",
        recipe.reference,
    ]
    run([*command, *recipe.plain_arguments(), "."], cwd=project, extra=recipe.variables)


def _build_arguments(settings: ImageSettings) -> dict[str, str]:
    wanted = {
        "BASE_IMAGE": settings.base_image,
        "BUILD_IMAGE": settings.build_image,
        "PIP_INDEX_URL": settings.pip_index_url,
        "PIP_EXTRA_INDEX_URL": settings.pip_extra_index_url,
        "HTTP_PROXY": settings.http_proxy,
        "HTTPS_PROXY": settings.https_proxy,
        "NO_PROXY": settings.no_proxy,
    }
    return {name: value for name, value in wanted.items() if value}


def _options(settings: ImageSettings) -> dict[str, str]:
    """OCI's format knows no HEALTHCHECK, so podman and buildah write Docker's."""
    options: dict[str, str] = {}
    if settings.build_network:
        options["network"] = settings.build_network
    if settings.platform:
        options["platform"] = settings.platform
    if settings.backend is not Backend.DOCKER:
        options["format"] = "docker"
    return options


def _created(settings: ImageSettings) -> dict[str, str]:
    if settings.source_date_epoch is None:
        return {}
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(settings.source_date_epoch, UTC)
    return {"org.opencontainers.image.created": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
