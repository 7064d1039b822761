"""From registry to store: fetch what the alias or the pin names, prove it, and move the pointer; never break what is served.

A version fits this image or it does not (`modelkit.contract`). If the wanted version does not, the newest approved
one that does is served and the difference shown. A refused version is not tried again by this process.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import structlog

from modelkit.definition import ModelDefinition
from modelkit.errors import CorruptServable, ServableError
from modelkit.servable import load_servable
from serving.agent.choice import AliasChoice, Choice
from serving.agent.folder_locks import FolderLocks
from serving.agent.metrics import AgentMetrics
from serving.agent.registry import RegisteredVersion, Registry, RegistryUnavailable
from serving.model_store import ModelStore, Pointer

VERSIONS_KEPT = 3

Mark = tuple[str, tuple[tuple[str, int, int], ...]]


class RegistrySync:
    """One poll per `step`, over all models."""

    def __init__(
        self,
        registry: Registry,
        store: ModelStore,
        definitions: Mapping[str, ModelDefinition],
        metrics: AgentMetrics,
        *,
        choice: Choice | None = None,
    ) -> None:
        """`choice` is the store's alias unless it is given. `troubles` says of a model why it was not followed.

        Two syncs that write to one store are given the same `locks`.
        """
        self._registry, self._store, self._definitions, self._metrics = registry, store, definitions, metrics
        self._choice = choice or AliasChoice(registry, store.alias)
        self.locks = FolderLocks()
        self.troubles: dict[str, str] = {}
        self._refused: dict[tuple[str, str, str], str] = {}
        self._proven: dict[Path, Mark] = {}
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> None:
        for definition in self._definitions.values():
            try:
                self._followed(definition.name, self._follow(definition))
            except RegistryUnavailable as error:
                self._metrics.polled("error")
                self._log.warning("registry unavailable", model=definition.name, reason=str(error))
                self.troubles[definition.name] = f"the registry does not answer ({error})"
            except OSError as error:
                self._metrics.polled("store_error")
                self._log.error("model store failed", model=definition.name, reason=str(error))
                self.troubles[definition.name] = f"the model store failed ({type(error).__name__})"
            except Exception as error:  # one model's trouble must not end the following of all
                self._metrics.polled("failed")
                self._log.error("following failed", model=definition.name, exc_info=error)
                self.troubles[definition.name] = f"following failed ({type(error).__name__})"
            else:
                self._metrics.polled("ok")

    def _followed(self, model: str, trouble: str) -> None:
        """Says it once, because the registry is asked every few seconds."""
        if trouble and self.troubles.get(model) != trouble:
            self._log.warning("wanted version not served", model=model, reason=trouble)
        self.troubles[model] = trouble

    def _follow(self, definition: ModelDefinition) -> str:
        """Why the wanted version is not the one pointed at; empty when it is."""
        wanted = self._choice.wanted(definition)
        if wanted is None:
            return f"the alias {self._store.alias} names no version of {definition.registry_name}"
        reason = wanted.refusal
        if wanted.found is not None:
            reason = self._refusal(definition, wanted.found)
            if not reason:
                self._point(definition.name, wanted.found, desired=wanted.version)
                return ""
        for version in self._registry.approved(definition.registry_name):
            if not self._refusal(definition, version):
                self._point(definition.name, version, desired=wanted.version, reason=reason)
                return reason
        return f"{reason}, and no approved version fits"

    def _refusal(self, definition: ModelDefinition, version: RegisteredVersion) -> str:
        """Why the version cannot serve here; empty, and its files in the store, when it can."""
        key = (definition.name, version.version, version.digest)
        if key in self._refused:
            return self._refused[key]
        folder = self._store.version_folder(definition.name, version.version)
        try:
            with self.locks.of(folder):
                if not self._is_stored(definition, version, folder):
                    self._fetch(definition, version, folder)
        except ServableError as error:
            self._drop(folder)
            self._refused[key] = f"version {version.version} refused: {error}"
            self._metrics.refused(definition.name)
            self._log.error(
                "model version refused", model=definition.name, version=version.version, reason=str(error)
            )
            return self._refused[key]
        return ""

    def _is_stored(self, definition: ModelDefinition, version: RegisteredVersion, folder: Path) -> bool:
        """Whether the folder holds this very version, whole. Raises ContractMismatch: another image may have stored it.

        Proven once by this process, and again when a file was touched.
        """
        if not folder.is_dir():
            self._drop(folder)
            return False
        mark = _mark(folder, version)
        if self._proven.get(folder) == mark:
            return True
        try:
            load_servable(folder, definition, digest=version.digest)
        except CorruptServable as error:
            self._log.error("stored version is not whole", folder=folder.name, reason=str(error))
            self._drop(folder)
            return False
        self._proven[folder] = mark
        return True

    def _drop(self, folder: Path) -> None:
        """A pointer never stays on a folder that is gone; pointed at again, workers look at the version again."""
        pointer = self._store.read_pointer(folder.parent.name)
        if pointer is not None and pointer.version == folder.name:
            self._store.forget_pointer(folder.parent.name)
        self._proven.pop(folder, None)
        shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, definition: ModelDefinition, version: RegisteredVersion, folder: Path) -> None:
        if not version.digest:
            raise ServableError("the version was registered without a servable digest")
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._registry.download(version, folder)
        load_servable(folder, definition, digest=version.digest)
        self._proven[folder] = _mark(folder, version)
        self._log.info("model version fetched", model=definition.name, version=version.version)

    def _point(self, model: str, version: RegisteredVersion, *, desired: str, reason: str = "") -> None:
        pointer = Pointer(version=version.version, digest=version.digest, desired=desired, reason=reason)
        if self._store.read_pointer(model) != pointer:
            self._store.write_pointer(model, pointer)
            self._log.info("pointer moved", model=model, version=pointer.version, desired=pointer.desired)
            self._forget_old_versions(model)

    def _forget_old_versions(self, model: str) -> None:
        """What a pointer names is kept, production's and the challenger's."""
        kept = self._store.pointed(model)
        others = [name for name in self._store.versions(model) if name not in kept and name.isdigit()]
        for version in sorted(others, key=int, reverse=True)[VERSIONS_KEPT - 1 :]:
            shutil.rmtree(self._store.version_folder(model, version), ignore_errors=True)


def _mark(folder: Path, version: RegisteredVersion) -> Mark:
    """Changes when a file of the folder does, at the price of a few stats."""
    found = ((path.name, path.stat()) for path in sorted(folder.iterdir()))
    return version.digest, tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)
