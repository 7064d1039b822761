"""Which version of a model answers a request: the one that is served, or the one that the request names."""

from __future__ import annotations

from modelkit.errors import VersionNotLoaded
from serving.loaded_model import LoadedModel
from serving.model_board import ModelBoard
from serving.predictor import Asking


class Routing:
    """Reads the board; nothing here waits."""

    def __init__(self, board: ModelBoard) -> None:
        self._board = board

    def model_for(self, name: str, asking: Asking, version: str | None = None) -> LoadedModel:
        """Raises ModelNotFound, ModelNotReady, or VersionNotLoaded where this process does not hold `version`."""
        current = self._board.current(name)
        if version is None or version == current.version:
            return current
        previous = self._board.slots[name].previous
        if previous is not None and previous.version == version:
            return previous
        raise VersionNotLoaded
