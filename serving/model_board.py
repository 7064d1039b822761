"""Which version of each model this worker serves, wants to serve and served before; the request path only reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from modelkit.definition import ModelDefinition
from modelkit.errors import ModelNotFound, ModelNotReady
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.splitting import Split


class State(StrEnum):
    WAITING = "waiting"  # nothing to load yet
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"  # the last load failed; `current` may still serve an older version


@dataclass
class Challenger:
    """The version that some callers are answered with. While `model` is None production answers them, too."""

    split: Split
    model: LoadedModel | None = None
    desired: str | None = None
    state: State = State.WAITING
    reason: str = "no version is the challenger"


@dataclass
class Slot:
    """One model's place on the board. Swapping `current` is a single assignment, so a request sees one version or the other."""

    definition: ModelDefinition
    current: LoadedModel | None = None
    previous: LoadedModel | None = None
    desired: str | None = None
    state: State = State.WAITING
    reason: str = "no version has been found yet"
    stale: bool = False
    challenger: Challenger | None = None  # where AB_WEIGHTS names the model

    @property
    def held(self) -> list[LoadedModel]:
        """Every version in memory, the one that is served first."""
        challenger = None if self.challenger is None else self.challenger.model
        return [model for model in (self.current, self.previous, challenger) if model is not None]

    def not_ready(self) -> ModelNotReady:
        return ModelNotReady(f"{self.definition.name} is {self.state.value}: {self.reason}")


class ModelBoard:
    """The slots, by model name."""

    def __init__(self, definitions: Mapping[str, ModelDefinition], metrics: Metrics) -> None:
        self.slots = {name: Slot(definition) for name, definition in definitions.items()}
        self._metrics = metrics
        self._needs: dict[str, Callable[[], str]] = {}
        for name in self.slots:
            self._publish_state(name)

    def current(self, name: str) -> LoadedModel:
        """The version being served. Raises ModelNotFound or ModelNotReady."""
        slot = self.slots.get(name)
        if slot is None:
            raise ModelNotFound
        if slot.current is None:
            raise slot.not_ready()
        return slot.current

    def loading(self, name: str, *, desired: str) -> None:
        slot = self.slots[name]
        slot.state, slot.desired, slot.reason = State.LOADING, desired, f"version {desired} is being loaded"
        self._publish_state(name)

    def swap(
        self, name: str, model: LoadedModel, *, desired: str, reason: str = "", stale: bool = False
    ) -> None:
        """Serves `model` from now on and keeps what it replaces warm for an instant way back."""
        slot = self.slots[name]
        left = slot.current
        if left is not None and left is not model:
            slot.previous = left
            self._metrics.model_info.labels(name, left.version, left.servable.digest).set(0)
        slot.current, slot.desired, slot.state, slot.reason, slot.stale = (
            model,
            desired,
            State.READY,
            reason,
            stale,
        )
        self._metrics.model_info.labels(name, model.version, model.servable.digest).set(1)
        self._metrics.model_skew.labels(name).set(float(model.version != desired))
        self._publish_state(name)

    def failed(self, name: str, *, desired: str, reason: str) -> None:
        """The desired version cannot serve; whatever was served goes on."""
        slot = self.slots[name]
        slot.state, slot.desired, slot.reason = State.FAILED, desired, reason
        self._metrics.model_load_failures.labels(name).inc()
        self._metrics.model_skew.labels(name).set(1.0)
        self._publish_state(name)

    def also_needs(self, name: str, reason: Callable[[], str]) -> None:
        """The model is not ready while `reason` says anything, whatever is loaded."""
        self._needs[name] = reason

    def unready(self) -> dict[str, str]:
        """The models that cannot answer, with the reason: no servable version, or something else is missing."""
        missing = {name: slot.reason for name, slot in self.slots.items() if slot.current is None}
        needs = {name: reason() for name, reason in self._needs.items() if name not in missing}
        return missing | {name: reason for name, reason in needs.items() if reason}

    def _publish_state(self, name: str) -> None:
        self._metrics.following.desires(name, self.slots[name].desired)
        for state in State:
            self._metrics.model_state.labels(name, state.value).set(float(self.slots[name].state is state))
