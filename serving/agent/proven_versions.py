"""Versions in the store of which is known that they may serve: fetched if need be, and tried before anybody loads them.

This process reads no file of a version but to hash it: another one verifies and loads it first (`serving.proof`).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import structlog

from modelkit.definition import ModelDefinition
from modelkit.errors import CorruptServable, ServableError, UnsignedServable, UntrustedServable
from modelkit.servable import SIGNATURE
from serving.agent.folder_locks import FolderLocks
from serving.agent.registry import RegisteredVersion, Registry
from serving.model_store import ModelStore
from serving.proof import Asked, Proven, Prover, ProverFailed, TrialCutShort

# What another download may mend: the rest is what the version is.
FILES_ARE_WRONG = (CorruptServable, UnsignedServable, UntrustedServable)

Mark = tuple[object, ...]


class ProvenVersions:
    """Where a sync looks and what it points at. Two syncs of one store share `locks`."""

    def __init__(self, registry: Registry, store: ModelStore, prover: Prover) -> None:
        self.registry, self.store, self._prover = registry, store, prover
        self.locks = FolderLocks()
        self._proven: dict[Path, tuple[Mark, Proven]] = {}
        self._log = structlog.get_logger("slipway.agent")

    @property
    def rules(self) -> object:
        """Changes when other keys count."""
        return self._prover.mark()

    def rest(self) -> None:
        self._prover.rest()

    def hold(self, definition: ModelDefinition, version: RegisteredVersion) -> Proven:
        """The version, proven and in the store. Raises ServableError, and what the registry and the prover raise."""
        folder = self.store.version_folder(definition.name, version.version)
        with self.locks.of(folder):
            try:
                return self._stored(definition, version, folder) or self._fetched(definition, version, folder)
            except ServableError:
                self._drop(folder)
                raise

    def _stored(self, definition: ModelDefinition, version: RegisteredVersion, folder: Path) -> Proven | None:
        """None unless the folder holds this very version, whole. Raises ContractMismatch: another image may have stored it.

        Proven once by this process, and again when a file was touched or other keys count. What a pointer names was proven
        before: a trial that is cut short then says nothing of it.
        """
        if not folder.is_dir() or (version.signed and not (folder / SIGNATURE).is_file()):
            self._drop(folder)
            return None
        known = self._proven.get(folder)
        if known is not None and known[0] == self._mark(folder, version):
            return known[1]
        try:
            return self._prove(definition, version, folder)
        except TrialCutShort as error:
            if folder.name not in self.store.pointed(definition.name):
                raise
            raise ProverFailed(str(error)) from error
        except FILES_ARE_WRONG as error:
            self._log.error("stored version is not whole", folder=folder.name, reason=str(error))
            self._drop(folder)
            return None

    def _fetched(self, definition: ModelDefinition, version: RegisteredVersion, folder: Path) -> Proven:
        if not version.digest:
            raise ServableError("the version was registered without a servable digest")
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.registry.download(version, folder)
        proven = self._prove(definition, version, folder)
        self._log.info("model version fetched", model=definition.name, version=version.version)
        return proven

    def _prove(self, definition: ModelDefinition, version: RegisteredVersion, folder: Path) -> Proven:
        proven = self._prover.prove(
            Asked(
                model=definition.name,
                folder=str(folder.resolve()),
                digest=version.digest,
                number=version.version,
            )
        )
        self._proven[folder] = self._mark(folder, version), proven
        return proven

    def _drop(self, folder: Path) -> None:
        """A pointer never stays on a folder that is gone; pointed at again, workers look at the version again."""
        pointer = self.store.read_pointer(folder.parent.name)
        if pointer is not None and pointer.version == folder.name:
            self.store.forget_pointer(folder.parent.name)
        self._proven.pop(folder, None)
        shutil.rmtree(folder, ignore_errors=True)

    def _mark(self, folder: Path, version: RegisteredVersion) -> Mark:
        """Changes when a file of the folder does, or a key, at the price of a few stats."""
        found = ((path.name, path.stat()) for path in sorted(folder.iterdir()))
        files = tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)
        return version.digest, self._prover.mark(), files
