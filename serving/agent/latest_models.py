"""The versions that the agent itself computes with: what a source offers now, loaded once, in memory only while somebody asks."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from modelkit.definition import ModelDefinition
from serving.challengers import ChallengerSource
from serving.garbage import give_back
from serving.loaded_model import LoadedModel
from serving.trust import Trust

Mark = tuple[int, int] | None


class LatestModels:
    """One version per model. A version that cannot be loaded is none until another one is offered."""

    def __init__(
        self,
        source: ChallengerSource,
        definitions: Mapping[str, ModelDefinition],
        trust: Trust | None = None,
    ) -> None:
        self._source, self._definitions, self._trust = source, definitions, trust or Trust()
        self._loaded: dict[str, tuple[Mark, LoadedModel | None]] = {}
        self._log = structlog.get_logger("slipway.agent")

    def of(self, name: str) -> LoadedModel | None:
        """Looks once at what is offered, at the price of a stat."""
        mark = self._source.mark(name)
        seen, model = self._loaded.get(name, (None, None))
        if mark != seen:
            model = self._load(name)
            self._loaded[name] = (mark, model)
        return model

    def _load(self, name: str) -> LoadedModel | None:
        try:
            offered = self._source.offered(name)
            if offered is None or not offered.pointer.version:
                return None
            pointer = offered.pointer
            definition = self._definitions[name]
            return self._trust.load(definition, pointer, offered.folder)
        except Exception as error:  # whatever a bad artifact does, shipping goes on
            self._log.warning("version not loaded for the shadow", model=name, reason=str(error))
            return None
        finally:
            give_back()
