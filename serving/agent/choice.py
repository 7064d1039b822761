"""Which version of a model is wanted: the one behind the registry's alias, or the one that the deployment pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from modelkit.definition import ModelDefinition
from serving.agent.registry import RegisteredVersion, Registry


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`refusal` says why the version must not serve, before anything of it was fetched; `found` is None with one."""

    version: str
    found: RegisteredVersion | None
    refusal: str = ""


class Choice(Protocol):
    def wanted(self, definition: ModelDefinition) -> Wanted | None:
        """None while nothing is wanted yet. Raises RegistryUnavailable."""


class AliasChoice:
    """`MODEL_SOURCE=follow`."""

    def __init__(self, registry: Registry, alias: str) -> None:
        self._registry, self._alias = registry, alias

    def wanted(self, definition: ModelDefinition) -> Wanted | None:
        found = self._registry.behind_alias(definition.registry_name, self._alias)
        return None if found is None else Wanted(version=found.version, found=found)


class PinnedChoice:
    """`MODEL_SOURCE=pinned`. Git may name any version; outside development only an approved one may serve."""

    def __init__(
        self, registry: Registry, pins: Mapping[str, str], *, only_approved: bool, withdrawn: bool = True
    ) -> None:
        """Without `withdrawn` a version that was taken back is refused, approved or not."""
        self._registry, self._pins, self._only_approved = registry, pins, only_approved
        self._withdrawn = withdrawn

    def wanted(self, definition: ModelDefinition) -> Wanted | None:
        version = self._pins[definition.name]
        found = self._registry.by_number(definition.registry_name, version)
        if found is None:
            return _refused(version, "the registry does not have it")
        if self._only_approved and not found.approved:
            return _refused(version, "it is not approved")
        if found.withdrawn and not self._withdrawn:
            return _refused(version, "it was withdrawn")
        return Wanted(version=version, found=found)


def _refused(version: str, reason: str) -> Wanted:
    return Wanted(version=version, found=None, refusal=f"version {version} refused: {reason}")
