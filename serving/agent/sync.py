"""From registry to store: fetch what the alias or the pin names, prove it, and move the pointer; never break what is served.

A version fits this image or it does not (`modelkit.contract`). If the wanted version does not, or nobody signed it, the
newest approved one that may serve is served and the difference shown.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import structlog

from modelkit.definition import ModelDefinition
from modelkit.errors import ServableError
from serving.agent.choice import AliasChoice, Choice
from serving.agent.metrics import AgentMetrics
from serving.agent.proven_versions import ProvenVersions
from serving.agent.refusals import Refusals
from serving.agent.registry import RegisteredVersion, RegistryUnavailable
from serving.model_store import Pointer
from serving.proof import Proven, ProverFailed

VERSIONS_KEPT = 3


class RegistrySync:
    """One poll per `step`, over all models."""

    def __init__(
        self,
        versions: ProvenVersions,
        definitions: Mapping[str, ModelDefinition],
        metrics: AgentMetrics,
        *,
        choice: Choice | None = None,
    ) -> None:
        """`choice` is the store's alias unless it is given. `troubles` says of a model why it was not followed."""
        self.versions = versions
        self._registry, self._store = versions.registry, versions.store
        self._definitions, self._metrics = definitions, metrics
        self._choice = choice or AliasChoice(self._registry, self._store.alias)
        self.troubles: dict[str, str] = {}
        self._refusals, self._rules = Refusals(), versions.rules
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> None:
        if self._rules != self.versions.rules:
            self._refusals, self._rules = Refusals(), self.versions.rules
        for definition in self._definitions.values():
            self._poll(definition)
        self.versions.rest()

    def _poll(self, definition: ModelDefinition) -> None:
        name = definition.name
        try:
            self._followed(name, self._follow(definition))
        except RegistryUnavailable as error:
            self._metrics.polled("error")
            self._say("registry unavailable", name, f"the registry does not answer ({error})")
        except ProverFailed as error:
            self._metrics.polled("failed")
            self._say("versions cannot be tried", name, f"versions cannot be tried here ({error})")
        except OSError as error:
            self._metrics.polled("store_error")
            self._say("model store failed", name, f"the model store failed ({type(error).__name__})")
        except Exception as error:  # one model's trouble must not end the following of all
            self._metrics.polled("failed")
            self._log.error("following failed", model=name, exc_info=error)
            self.troubles[name] = f"following failed ({type(error).__name__})"
        else:
            self._metrics.polled("ok")

    def _followed(self, model: str, trouble: str) -> None:
        if trouble:
            self._say("wanted version not served", model, trouble)
        self.troubles[model] = trouble

    def _say(self, event: str, model: str, trouble: str) -> None:
        """Once, because the registry is asked every few seconds."""
        if self.troubles.get(model) != trouble:
            self._log.warning(event, model=model, reason=trouble)
        self.troubles[model] = trouble

    def _follow(self, definition: ModelDefinition) -> str:
        """Why the wanted version is not the one pointed at; empty when it is."""
        wanted = self._choice.wanted(definition)
        if wanted is None:
            return f"the alias {self._store.alias} names no version of {definition.registry_name}"
        reason = wanted.refusal
        if wanted.found is not None:
            proven, reason = self._held(definition, wanted.found)
            if proven is not None:
                self._point(definition.name, wanted.found.version, proven, desired=wanted.version)
                return ""
        for version in self._registry.approved(definition.registry_name):
            proven, _ = self._held(definition, version)
            if proven is not None:
                self._point(definition.name, version.version, proven, desired=wanted.version, reason=reason)
                return reason
        self._keep(definition.name, desired=wanted.version, reason=reason)
        return f"{reason}, and no approved version fits"

    def _held(self, definition: ModelDefinition, version: RegisteredVersion) -> tuple[Proven | None, str]:
        """The version, in the store; None and why it may not serve here, which is told once."""
        name = definition.name
        if standing := self._refusals.standing(name, version):
            return None, standing
        try:
            proven = self.versions.hold(definition, version)
        except ServableError as error:
            reason, news = self._refusals.add(name, version, error)
            if news:
                self._metrics.refused(name, error)
                self._log.error(
                    "model version refused", model=name, version=version.version, reason=str(error)
                )
            return None, reason
        self._refusals.forget(name, version)
        return proven, ""

    def _point(self, model: str, version: str, proven: Proven, *, desired: str, reason: str = "") -> None:
        pointer = Pointer(
            version=version,
            digest=proven.digest,
            desired=desired,
            reason=reason,
            signed_by=proven.signed_by,
        )
        if self._store.read_pointer(model) != pointer:
            self._store.write_pointer(model, pointer)
            self._log.info("pointer moved", model=model, version=pointer.version, desired=pointer.desired)
            self._forget_old_versions(model)

    def _keep(self, model: str, *, desired: str, reason: str) -> None:
        """What is pointed at goes on serving, and shows what is wanted and why it is not served."""
        pointer = self._store.read_pointer(model)
        if pointer is not None and (pointer.desired, pointer.reason) != (desired, reason):
            proven = Proven(digest=pointer.digest, signed_by=pointer.signed_by)
            self._point(model, pointer.version, proven, desired=desired, reason=reason)

    def _forget_old_versions(self, model: str) -> None:
        """What a pointer names is kept, production's and the challenger's."""
        kept = self._store.pointed(model)
        others = [name for name in self._store.versions(model) if name not in kept and name.isdigit()]
        for version in sorted(others, key=int, reverse=True)[VERSIONS_KEPT - 1 :]:
            shutil.rmtree(self._store.version_folder(model, version), ignore_errors=True)
