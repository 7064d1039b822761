"""A version's servable as bytes: from a folder or from the registry, to be loaded on any machine of a batch."""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from modelkit.definition import ModelDefinition
from modelkit.servable import FILES, MANIFEST, servable_digest
from training.errors import BatchRefused, RegistryFailed


@dataclass(frozen=True, kw_only=True)
class VersionFiles:
    """`version` is the registry's number, or the start of the digest where no registry gave one, as in serving."""

    version: str
    digest: str
    files: dict[str, bytes]


def from_folder(folder: Path, *, version: str | None = None) -> VersionFiles:
    try:
        digest = servable_digest(folder)
        files = {name: (folder / name).read_bytes() for name in (*FILES, MANIFEST)}
    except OSError as error:
        raise BatchRefused(f"{folder} is not a servable: {error.strerror}") from error
    return VersionFiles(version=version or digest.removeprefix("sha256:")[:12], digest=digest, files=files)


def from_registry(
    definition: ModelDefinition, tracking_uri: str, *, alias: str, number: str | None, keys: Path | None
) -> VersionFiles:
    """The version of that number, otherwise the one that holds the alias; with `keys` only if one of them signed it.

    Fetched by a process of its own: MLflow's client takes 200 MB, which the rows need more.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            asked = _Asked(definition.registry_name, tracking_uri, alias, number, keys)
            found = pool.submit(_fetch, asked).result()
        except BrokenProcessPool as error:
            raise RegistryFailed("the process that fetches the version was ended") from error
    if found is None:
        raise BatchRefused(f"{definition.name} has no version in {alias}")
    return found


class _Asked(NamedTuple):
    registry_name: str
    tracking_uri: str
    alias: str
    number: str | None
    keys: Path | None


def _fetch(asked: _Asked) -> VersionFiles | None:
    from training.cli import silence_libraries
    from training.promotion.signing import verify_downloaded
    from training.registry import SERVABLE, Registry, said_in_one_line

    silence_libraries()
    registry, name = Registry(asked.tracking_uri), asked.registry_name
    with said_in_one_line(), tempfile.TemporaryDirectory() as folder:
        version = (
            registry.by_number(name, asked.number) if asked.number else registry.by_alias(name, asked.alias)
        )
        if version is None:
            return None
        servable = registry.download(version, SERVABLE, Path(folder))
        if asked.keys is not None:
            verify_downloaded(registry, version, servable, asked.keys)
        found = from_folder(servable, version=version.number)
    if version.digest is not None and version.digest != found.digest:
        raise BatchRefused(f"version {version.number} is not what the registry recorded")
    return found
