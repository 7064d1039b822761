"""An agent that follows a registry, with everything around it but servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.iris.definition import DEFINITION as IRIS
from serving.agent.metrics import AgentMetrics
from serving.agent.proven_versions import ProvenVersions
from serving.agent.sync import RegistrySync
from serving.model_store import ModelStore, Pointer
from tests.fakes.prover import LocalProver
from tests.fakes.registry import MemoryRegistry
from tests.prediction_records import figure
from tests.tiny_servables import write_tiny

NAME = IRIS.registry_name


class Scene:
    """A registry, a store and a sync over one model."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry = folder, MemoryRegistry()
        self.store = ModelStore(folder / "store", "production")
        self.restart()

    def restart(self) -> None:
        """Another agent on the same store."""
        self.metrics, self.prover = AgentMetrics(), LocalProver({IRIS.name: IRIS})
        self.sync = RegistrySync(
            ProvenVersions(self.registry, self.store, self.prover), {IRIS.name: IRIS}, self.metrics
        )

    def register(self, version: str, *, approved: bool = True, **contract: Any) -> str:
        source = self.folder / "sources" / version
        digest = write_tiny(IRIS, source, bias=float(version), **contract)
        self.registry.register(NAME, version, source, digest)
        if approved:
            self.registry.approve(NAME, version)
        return digest

    def follow(self, version: str | None = None) -> Pointer | None:
        if version is not None:
            self.registry.point(NAME, "production", version)
        self.sync.step()
        return self.store.read_pointer(IRIS.name)

    def stored(self, version: str) -> Path:
        return self.store.version_folder(IRIS.name, version)

    def polled(self, result: str) -> float:
        return figure(self.metrics.registry, "slipway_registry_polls_total", result=result)

    def refused(self, reason: str = "contract") -> float:
        name = "slipway_model_versions_refused_total"
        return figure(self.metrics.registry, name, model=IRIS.name, reason=reason)
