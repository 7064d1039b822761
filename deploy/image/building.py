"""`make image`: from the tree to an image with its tag and labels, by the steps of `bento` and `containerizing`."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.image import base, bento, containerizing
from deploy.image.engine import Engine
from deploy.image.settings import ImageSettings
from deploy.image.source import Source, source_of

VERSIONS = "versions.env"
MODELS_LABEL = "slipway.models"
TRAINING_SUFFIX = "-training"

Say = Callable[[str], None]


def reference_of(settings: ImageSettings, source: Source, *, suffix: str = "") -> str:
    return f"{settings.image_name}{suffix}:{settings.image_tag or source.tag}"


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds from one tree with one engine; methods return the name of an image that the engine has."""

    project: Path
    settings: ImageSettings
    engine: Engine
    say: Say

    def serving(self, registry: Mapping[str, str] | None = None) -> str:
        """`registry`: settings of training by which another registry than the usual one is baked."""
        source = source_of(self.project)
        reference = reference_of(self.settings, source)
        with _workshop() as workshop:
            bento.copy_sources(self.project, workshop)
            labels = {**source.labels(), **self._bake(workshop, registry or {})}
            bento.build_bento(workshop, source.tag, self.settings.certificates)
            self.say(f"Bento {bento.NAME}:{source.tag}")
            containerizing.containerize(
                workshop, source.tag, self._recipe(reference, labels, base.SERVING_PACKAGES)
            )
        self.say(f"image {reference}")
        return reference

    def for_trial(self) -> Builder:
        """One whose image always carries a model, and never takes the name of the image that is released."""
        tag = self.settings.image_tag or source_of(self.project).tag
        return replace(
            self, settings=self.settings.model_copy(update={"image_tag": f"{tag}-trial", "baked": True})
        )

    def training(self) -> str:
        source = source_of(self.project)
        reference = reference_of(self.settings, source, suffix=TRAINING_SUFFIX)
        with _workshop() as workshop:
            bento.copy_sources(self.project, workshop)
            if self.settings.certificates is not None:
                shutil.copyfile(self.settings.certificates, workshop.context / "ca.crt")
            recipe = self._recipe(reference, source.labels(), base.TRAINING_PACKAGES)
            containerizing.build_training_image(workshop.context, recipe)
        self.say(f"image {reference}")
        return reference

    def _recipe(
        self, reference: str, labels: Mapping[str, str], packages: tuple[str, ...]
    ) -> containerizing.Recipe:
        """On a base that the engine has. The bridge of a private engine may lead nowhere on such a machine."""
        found = base.find_base(self.settings, self.engine, base.default_base(self.project), packages)
        self.say(f"base {found}")
        network = self.settings.build_network or ("host" if self.engine.private else None)
        settings = self.settings.model_copy(update={"base_image": found, "build_network": network})
        return containerizing.recipe_of(settings, reference, labels, self.engine)

    def _bake(self, workshop: bento.Workshop, registry: Mapping[str, str]) -> dict[str, str]:
        if not self.settings.baked:
            self.say("nothing baked: an image without a fallback for the registry")
            return {}
        self.say(bento.bake(self.project, workshop.baked, registry))
        return {MODELS_LABEL: ",".join((workshop.baked / VERSIONS).read_text().split())}


def carried_versions(image: str, engine: Engine) -> str:
    """`model=version,…` as the image's label says; empty where it carries none."""
    labels = json.loads(engine.run("image", "inspect", image))[0]["Config"]["Labels"] or {}
    return str(labels.get(MODELS_LABEL, ""))


@contextmanager
def _workshop() -> Iterator[bento.Workshop]:
    with tempfile.TemporaryDirectory(prefix="slipway-image-") as folder:
        yield bento.Workshop(root=Path(folder).resolve())
