"""The metrics of identity: who was let in, who was refused, and how fresh what that rests on is. A part of `serving.metrics`.

As there, requests append to plain tallies, and `fold` moves them into prometheus_client.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

PREFIX = "slipway_"


class IdentityMetrics:
    """`Metrics` makes one, as `metrics.identity`. Gauges are set by errands, which do not run in a request."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Gauge

        def counter(name: str, text: str, *labels: str) -> tuple[Any, Tally[tuple[str, ...]]]:
            tally: Tally[tuple[str, ...]] = Tally()
            made = Counter(PREFIX + name, text, labels, registry=registry)
            self._counters.append((made, tally))
            return made, tally

        def gauge(name: str, text: str, *labels: str, mode: Any = "livemax") -> Any:
            return Gauge(PREFIX + name, text, labels, multiprocess_mode=mode, registry=registry)

        self._counters: list[tuple[Any, Tally[tuple[str, ...]]]] = []
        _, self._auth = counter("auth_requests", "Authentications.", "issuer", "result")
        _, self._logins = counter("logins", "Asked for tokens with a grant.", "grant", "result")
        _, self._limited = counter("rate_limited", "Requests refused because of a limit.", "model")
        _, self._leases = counter("rate_leases", "Turns of sharing limits over Redis.", "result")
        _, self._keys = counter("key_changes", "Changes of our own signing keys.", "result")
        _, self._policies = counter("policy_reloads", "Readings of a changed policy file.", "result")
        self.revocations_age = gauge(
            "revocations_age_seconds", "Since the list of revocations was last known to be right."
        )
        self.revocations = gauge("revocations", "Active entries in the list of revocations.")
        self.issuer_keys_age = gauge(
            "issuer_keys_age_seconds", "Since an issuer's keys were fetched from it.", "issuer"
        )

    def authenticated(self, issuer: str, result: str) -> None:
        self._auth[issuer, result] += 1

    def login(self, grant: str, result: str) -> None:
        self._logins[grant, result] += 1

    def rate_limited(self, model: str) -> None:
        self._limited[model,] += 1

    def rate_leased(self, result: str) -> None:
        self._leases[result,] += 1

    def keys_changed(self, result: str) -> None:
        self._keys[result,] += 1

    def policy_reloaded(self, result: str) -> None:
        self._policies[result,] += 1

    def fold(self) -> None:
        """Moves what was recorded since the last call into prometheus_client."""
        for metric, tally in self._counters:
            if tally:
                counts = list(tally.items())
                tally.clear()
                for labels, count in counts:
                    metric.labels(*labels).inc(count)
