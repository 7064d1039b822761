"""The only reader of the environment where images are built, tried and pushed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Backend(StrEnum):
    DOCKER = "docker"
    PODMAN = "podman"
    BUILDAH = "buildah"


class ImageSettings(BaseSettings):
    """An empty variable counts as absent."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    backend: Backend = Field(Backend.DOCKER, description="`docker`, `podman` or `buildah`")
    image_name: str = Field("slipway", description="Name of the image, with its registry if it has one")
    registry: str | None = Field(
        None, description="Where an image whose name has no registry is pushed to, such as ghcr.io/you"
    )
    image_tag: str | None = Field(None, description="Its tag; empty: version and commit")
    base_image: str | None = Field(
        None, description="Any image with Python 3.11; empty: that of bentofile.yaml"
    )
    build_image: str | None = Field(None, description="Where packages are installed; empty: BASE_IMAGE")
    platform: str | None = Field(None, description="Such as linux/arm64; empty: that of the builder")
    build_network: str | None = Field(None, description="Network of the build, such as `host`")
    baked: bool = Field(True, description="Carry the versions in production as a fallback")
    image_budget_mb: int = Field(900, ge=1, description="Uncompressed size that an image may have")
    source_date_epoch: int | None = Field(None, description="Time that labels and the SBOM name; empty: none")
    pip_index_url: str | None = Field(None, description="Package index of the build stage")
    pip_extra_index_url: str | None = Field(None, description="A second one")
    pip_cert: Path | None = Field(None, description="Certificate authorities of the build stage")
    image_cache: Path = Field(Path("var/image"), description="Where a base made from Debian packages is kept")
    stack_image: str | None = Field(None, description="Image of `make up`; empty: that of `make image`")
    http_proxy: str | None = None
    https_proxy: str | None = None
    no_proxy: str | None = None

    @property
    def certificates(self) -> Path | None:
        """The bundle that this machine trusts: a container on it meets the same servers."""
        if self.pip_cert is not None:
            return self.pip_cert
        return SYSTEM_CERTIFICATES if SYSTEM_CERTIFICATES.is_file() else None


def program_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """For the programs that are started here: what they are used to, and more."""
    return {**os.environ, **extra}


def path_variable() -> str:
    return os.environ.get("PATH", os.defpath)
