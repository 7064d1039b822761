"""Which version of a model answers a request: production, its challenger for some callers, or the one that is named."""

from __future__ import annotations

from modelkit.errors import ModelNotFound, VersionNotLoaded
from records.split_arms import CHALLENGER, MISSING, NAMED, PRODUCTION
from serving.comparison_metrics import ComparisonMetrics
from serving.loaded_model import LoadedModel
from serving.model_board import ModelBoard, Slot
from serving.predictor import Asking

Routed = tuple[LoadedModel, str]


class Routing:
    """Reads the board; nothing here waits."""

    def __init__(self, board: ModelBoard, metrics: ComparisonMetrics) -> None:
        self._board, self._metrics = board, metrics

    def model_for(self, name: str, asking: Asking, version: str | None = None) -> LoadedModel:
        """Raises what `route` raises."""
        return self.route(name, asking, version)[0]

    def route(self, name: str, asking: Asking, version: str | None = None) -> Routed:
        """The version, and the arm that it answers for: empty where there is no split.

        Raises ModelNotFound, ModelNotReady, or VersionNotLoaded where this process does not hold `version`.
        """
        slot = self._board.slots.get(name)
        if slot is None:
            raise ModelNotFound
        current = slot.current
        if current is None:
            raise slot.not_ready()
        if version is None:
            return (current, "") if slot.challenger is None else self._split(slot, current, asking)
        for held in slot.held:
            if held.version == version:
                return held, NAMED
        raise VersionNotLoaded

    def _split(self, slot: Slot, current: LoadedModel, asking: Asking) -> Routed:
        challenger, model = slot.challenger, current.name
        assert challenger is not None
        found, arm = challenger.model, PRODUCTION
        if challenger.split.takes(asking.split_key or asking.principal.subject):
            if found is None:
                self._metrics.missing(model)
                arm = MISSING
            elif found is not current:
                self._metrics.routed(model, found.version, CHALLENGER)
                return found, CHALLENGER
            else:
                arm = ""  # both arms are one version
        self._metrics.routed(model, current.version, PRODUCTION)
        return current, arm
