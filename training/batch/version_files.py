"""A version's servable as bytes: from a folder or from the registry, and loaded from there on any machine of a batch."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from modelkit.definition import ModelDefinition
from modelkit.servable import FILES, MANIFEST, MODEL, load_servable, servable_digest
from training.batch.answers import Answerer
from training.batch.entities import EntityReader
from training.batch.rows import TableReader
from training.batch.scoring import Scorer
from training.batch.wide import WideModel
from training.errors import BatchRefused


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
    definition: ModelDefinition, tracking_uri: str, *, alias: str, number: str | None
) -> VersionFiles:
    """The version of that number, otherwise the one that holds the alias."""
    from training.registry import SERVABLE, Registry, said_in_one_line

    registry, name = Registry(tracking_uri), definition.registry_name
    with said_in_one_line(), tempfile.TemporaryDirectory() as folder:
        version = registry.by_number(name, number) if number else registry.by_alias(name, alias)
        if version is None:
            raise BatchRefused(f"{definition.name} has no version in {alias}")
        found = from_folder(registry.download(version, SERVABLE, Path(folder)), version=version.number)
    if version.digest is not None and version.digest != found.digest:
        raise BatchRefused(f"version {version.number} is not what the registry recorded")
    return found


def load_scorer(
    definition: ModelDefinition, version: VersionFiles, *, is_text: bool, features: bytes | None = None
) -> Scorer:
    """Verified as serving verifies it. Raises ServableError for a version that must not answer.

    `features` are those of the entities that rows name; without them rows hold the view's fields themselves.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, content in version.files.items():
            (Path(folder) / name).write_bytes(content)
        servable = load_servable(Path(folder), definition, digest=version.digest)
    answerer = Answerer(
        definition,
        WideModel(servable.compiled, version.files[MODEL]),
        version=version.version,
        outputs=len(servable.contract.golden_outputs[0]),
    )
    if features is not None:
        return Scorer(EntityReader(definition, features, is_text=is_text), answerer)
    return Scorer(TableReader(definition.row, is_text=is_text), answerer)
