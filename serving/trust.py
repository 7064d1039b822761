"""What is loaded as it lies there, and what is tried first: the store's versions were tried by the agent that wrote them down."""

from __future__ import annotations

from pathlib import Path

from modelkit.definition import ModelDefinition
from modelkit.signature import fingerprint, public_keys
from serving.loaded_model import LoadedModel, load_model, version_of_digest
from serving.model_store import Pointer
from serving.proof import Asked, Prover, make_prover
from serving.settings import Settings


class Trust:
    """`prover` is None where versions need no signature: then loading checks a version's files and golden rows, no more.

    `keys` is the file of those whose signature counts: what another one signed, in a store of yesterday, is tried again.
    """

    def __init__(self, prover: Prover | None = None, keys: Path | None = None) -> None:
        self._prover, self._keys = prover, keys

    def load(self, definition: ModelDefinition, pointer: Pointer, folder: Path) -> LoadedModel:
        """Blocks. Raises ServableError: the caller keeps what it served before. Raises ProverFailed, too."""
        if self._prover is not None and not self._counts(pointer.signed_by):
            self._try(self._prover, definition, pointer, folder)
        return load_model(folder, definition, version=pointer.version, digest=pointer.digest)

    def _counts(self, signed_by: str) -> bool:
        """Read each time: keys are exchanged while we run."""
        try:
            keys = public_keys(self._keys.read_bytes()) if self._keys is not None else []
        except (OSError, ValueError):  # whoever tries the version says so
            return False
        return signed_by in map(fingerprint, keys)

    def _try(self, prover: Prover, definition: ModelDefinition, pointer: Pointer, folder: Path) -> None:
        """What has no number is named by its digest: then a signature for any number of this model will do."""
        named_by_digest = pointer.version == version_of_digest(pointer.digest)
        try:
            prover.prove(
                Asked(
                    model=definition.name,
                    folder=str(folder.resolve()),
                    digest=pointer.digest,
                    number="" if named_by_digest else pointer.version,
                )
            )
        finally:
            prover.rest()


def make_trust(settings: Settings, prover: Prover | None = None) -> Trust:
    """Tries with `prover` where the process has one already: each may take as much memory as a version may."""
    if not settings.only_signed_models:
        return Trust()
    return Trust(prover or make_prover(settings), settings.model_keys)
