"""The agent's own metrics, on its own port: its failures must be visible without the request process."""

from __future__ import annotations

from typing import Any

from modelkit.errors import (
    ContractMismatch,
    CorruptServable,
    ServableError,
    UnloadableServable,
    UnsignedServable,
    UntrustedServable,
)
from serving.agent.feedback_metrics import FeedbackMetrics
from serving.agent.handoff_metrics import HandoffMetrics
from serving.agent.shadow_metrics import ShadowMetrics
from serving.telling_metrics import TellingMetrics
from serving.tracing.tracer import Tracer

REASONS: dict[type[ServableError], str] = {
    CorruptServable: "corrupt",
    UnsignedServable: "unsigned",
    UntrustedServable: "untrusted",
    UnloadableServable: "unloadable",
    ContractMismatch: "contract",
}


class AgentMetrics:
    """One process, an ordinary registry."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge

        self.registry = CollectorRegistry()
        self.telling = TellingMetrics(self.registry)
        self.tracer: Tracer | None = None  # told of what is done, where anybody wants to know
        self.shadow = ShadowMetrics(self.registry)
        shared: dict[str, Any] = {"registry": self.registry}
        self._polls = Counter("slipway_registry_polls", "Questions to the registry.", ["result"], **shared)
        self._revocations = Counter(
            "slipway_revocation_reads", "Readings of what is revoked.", ["source", "result"], **shared
        )
        self._refusals = Counter(
            "slipway_model_versions_refused", "Versions that may not serve.", ["model", "reason"], **shared
        )
        self._shipped = Counter("slipway_agent_records", "Prediction records by fate.", ["result"], **shared)
        self._failures = Counter("slipway_agent_ship_failures", "Failed attempts to write to SQL.", **shared)
        self.pending = Gauge("slipway_agent_records_pending", "Sealed records not yet in SQL.", **shared)
        self.oldest = Gauge(
            "slipway_agent_oldest_unshipped_seconds", "Age of the oldest sealed segment.", **shared
        )
        self.set_aside = Gauge(
            "slipway_agent_segments_set_aside", "Damaged segments kept for a person to look at.", **shared
        )

        self._feature_polls = Counter(
            "slipway_feature_polls", "Looks at the source of a view.", ["view", "result"], **shared
        )
        self._feature_rows = Gauge(
            "slipway_feature_compiled_rows", "Rows of the last snapshot compiled here.", ["view"], **shared
        )
        self._feature_seconds = Gauge(
            "slipway_feature_compile_seconds", "How long the last snapshot took.", ["view"], **shared
        )

        self._key_fetches = Counter(
            "slipway_issuer_key_fetches", "Questions to other issuers.", ["issuer", "result"], **shared
        )
        self.feedback = FeedbackMetrics(self.registry)
        self.handoff = HandoffMetrics(self.registry)
        self._chore_failures = Counter(
            "slipway_agent_chore_failures", "Steps that were given up and tried again.", ["chore"], **shared
        )

    def chore_failed(self, chore: str) -> None:
        self._chore_failures.labels(chore).inc()

    def keys_fetched(self, issuer: str, result: str) -> None:
        self._key_fetches.labels(issuer, result).inc()

    def features_polled(self, view: str, result: str) -> None:
        self._feature_polls.labels(view, result).inc()

    def features_compiled(self, view: str, *, rows: int, seconds: float) -> None:
        self._feature_rows.labels(view).set(rows)
        self._feature_seconds.labels(view).set(seconds)

    def revocations_read(self, source: str, result: str) -> None:
        self._revocations.labels(source, result).inc()

    def polled(self, result: str) -> None:
        self._polls.labels(result).inc()

    def refused(self, model: str, error: ServableError) -> None:
        reason = next((reason for kind, reason in REASONS.items() if isinstance(error, kind)), "other")
        self._refusals.labels(model, reason).inc()

    def shipped(self, result: str, count: int) -> None:
        if count:
            self._shipped.labels(result).inc(count)

    def ship_failed(self) -> None:
        self._failures.inc()
