"""From registry to store, for challengers: as for production, but nothing stands in for what is wanted.

An alias that is gone takes its pointer along, and a version that is refused is pointed at by its refusal, for workers to show.
"""

from __future__ import annotations

from modelkit.definition import ModelDefinition
from serving.agent.sync import RegistrySync
from serving.model_store import Pointer


class ChallengerSync(RegistrySync):
    """`step` follows the challengers of all its models once."""

    def _follow(self, definition: ModelDefinition) -> str:
        wanted, model = self._choice.wanted(definition), definition.name
        if wanted is None:
            if self._store.read_pointer(model) is not None:
                self._store.forget_pointer(model)
                self._log.info("challenger taken away", model=model)
            return ""
        found, reason = wanted.found, wanted.refusal
        if found is not None:
            proven, reason = self._held(definition, found)
            if proven is not None:
                self._point(model, found.version, proven, desired=wanted.version)
                return ""
        refusal = Pointer(version="", digest="", desired=wanted.version, reason=reason)
        if self._store.read_pointer(model) != refusal:
            self._store.write_pointer(model, refusal)
        return reason
