"""Pushing: to whatever registry the name says, and back comes the digest that manifests name."""

from __future__ import annotations

import json

from deploy.errors import ImageFailed
from deploy.image.engine import Engine


def push(reference: str, engine: Engine, *, registry: str | None = None) -> str:
    """`name@sha256:…` as the registry knows it. An image whose name has no registry goes to `registry`, under that name."""
    if "/" not in reference:
        if not registry:
            raise ImageFailed(
                f"{reference} names no registry: set REGISTRY to one, such as ghcr.io/you, "
                "or IMAGE_NAME with one, such as registry.example/team/slipway"
            )
        local, reference = reference, f"{registry.rstrip('/')}/{reference}"
        engine.run("tag", local, reference)
    engine.run("push", reference)
    return pushed_name(reference, engine.run("image", "inspect", reference))


def pushed_name(reference: str, inspected: str) -> str:
    """Of the digests that the engine knows for this image, that of this repository."""
    repository = reference.rpartition(":")[0]
    digests = json.loads(inspected)[0].get("RepoDigests") or []
    found = [name for name in digests if name.partition("@")[0] == repository]
    if not found:
        raise ImageFailed(f"the registry gave {reference} no digest")
    return str(found[0])
