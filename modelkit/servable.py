"""The artifact format: all that serving downloads of a model version, and how its integrity is proven.

servable/
  model.onnx       compiled model
  contract.json    what the version promises (modelkit.contract)
  reference.json   drift reference (modelkit.reference)
  card.json        metrics, slices, gate results, git sha, data hash, training time
  manifest.json    SHA-256 of each of the others; its own digest is what the registry records
  servable.sig     who approved the version (modelkit.signature); the only one that may be missing
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeVar

import msgspec

from modelkit.contract import Contract, check_fit
from modelkit.definition import ModelDefinition
from modelkit.errors import CorruptServable
from modelkit.reference import Reference
from modelkit.runtime import CompiledModel

MODEL, CONTRACT, REFERENCE, CARD = "model.onnx", "contract.json", "reference.json", "card.json"
FILES = (MODEL, CONTRACT, REFERENCE, CARD)
MANIFEST, SIGNATURE = "manifest.json", "servable.sig"
WRITTEN = (*FILES, MANIFEST)  # by training; what is signed

T = TypeVar("T")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """`card.json`: where a version comes from and how good it was. `metrics` is flat: `overall.mae`, `slice.city=Urban.mae`.

    `rows` are the prepared ones by split, `trained_rows` those that trained it; `trained_until` is the time of the last of
    these, None where rows have no time.
    """

    model: str
    metrics: dict[str, float]
    params: dict[str, Any]
    git_sha: str
    data_hash: str
    trained_at: str
    training_seconds: float
    rows: dict[str, int]
    trained_until: str | None = None
    trained_rows: int | None = None


class Servable(msgspec.Struct, frozen=True, kw_only=True):
    """A verified servable in memory."""

    contract: Contract
    reference: Reference
    card: Card
    compiled: CompiledModel
    digest: str


def write_servable(
    folder: Path, *, graph: bytes, contract: Contract, reference: Reference, card: Card
) -> str:
    """Writes the folder and returns the digest of its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(graph)
    for name, content in ((CONTRACT, contract), (REFERENCE, reference), (CARD, card)):
        (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    manifest = {name: _sha256(folder / name) for name in FILES}
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return servable_digest(folder)


def servable_digest(folder: Path) -> str:
    """`sha256:…` of the manifest, and through it of every file."""
    return f"sha256:{_sha256(folder / MANIFEST)}"


def verify_shape(folder: Path, *, digest: str | None = None) -> str:
    """The servable's digest, of a folder that holds exactly a servable's files.

    Nothing is parsed: a file's content is trusted once its digest, or the signature over it, was verified.
    """
    try:
        present = {path.name: path.stat() for path in folder.iterdir()}
    except OSError as error:
        raise CorruptServable("the folder cannot be read") from error
    if set(present) - {SIGNATURE} != set(WRITTEN):
        raise CorruptServable("the folder does not hold exactly the files of a servable")
    if not all(S_ISREG(status.st_mode) for status in present.values()):
        raise CorruptServable("the folder holds something else than ordinary files")
    found = servable_digest(folder)
    if digest is not None and found != digest:
        raise CorruptServable("the manifest differs from the digest that the registry recorded")
    return found


def verify_files(folder: Path, *, digest: str | None = None) -> str:
    """The servable's digest, after every file was hashed. Raises CorruptServable on any difference or extra file."""
    found = verify_shape(folder, digest=digest)
    manifest = _read(folder / MANIFEST, dict[str, str])
    if set(manifest) != set(FILES):
        raise CorruptServable("the manifest does not list exactly the files of a servable")
    for name, expected in manifest.items():
        if _sha256(folder / name) != expected:
            raise CorruptServable(f"{name} differs from its digest")
    return found


def load_servable(folder: Path, definition: ModelDefinition, *, digest: str | None = None) -> Servable:
    """A servable that is whole and fits this image. Raises ServableError otherwise."""
    found = verify_files(folder, digest=digest)
    contract = _read(folder / CONTRACT, Contract)
    compiled = CompiledModel.load(folder / MODEL)
    check_fit(contract, definition, compiled)
    return Servable(
        contract=contract,
        reference=_read(folder / REFERENCE, Reference),
        card=_read(folder / CARD, Card),
        compiled=compiled,
        digest=found,
    )


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptServable(f"{path.name} cannot be read") from error


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CorruptServable(f"{path.name} cannot be read") from error
