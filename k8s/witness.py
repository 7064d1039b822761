"""What a pod says for itself: its readiness, and the last words of a container. Nothing, when it cannot be heard."""

from __future__ import annotations

from k8s.api.cluster import Cluster
from k8s.api.objects import Event, Pod
from k8s.errors import ClusterError
from k8s.forwarding import HTTP_PORT, PodEndpoint
from k8s.pod_troubles import PodFacts
from k8s.smoke.answers import unready_reasons

LAST_LINES = 5
MOST_LETTERS = 600
READINESS_SECONDS = 3.0


class Witness:
    """Asks at most once for the same thing: a container that died is asked again after its next death."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._words: dict[tuple[str, str, int], str] = {}

    def facts(self, pod: Pod, events: tuple[Event, ...], *, ask: bool = True) -> PodFacts:
        """Without `ask` the pod's own programs are left in peace: what the cluster knows has to do."""
        own = [event for event in events if event.involved_object.name == pod.name]
        return PodFacts(
            pod=pod,
            events=sorted(own, key=lambda event: event.at),
            last_words=self._last_words(pod),
            unready=self._unready(pod) if ask and not pod.is_ready else {},
        )

    def _last_words(self, pod: Pod) -> dict[str, str]:
        words = {}
        for status in pod.statuses:
            state = status.state
            dead_now = state.terminated is not None and state.terminated.exit_code != 0
            looping = state.waiting is not None and state.waiting.reason == "CrashLoopBackOff"
            if dead_now or looping:
                key = (pod.name, status.name, status.restart_count)
                if key not in self._words:
                    self._words[key] = self._log(pod, status.name, previous=not dead_now)
                words[status.name] = self._words[key]
        return words

    def _log(self, pod: Pod, container: str, *, previous: bool) -> str:
        try:
            text = self._cluster.log(pod.name, container, previous=previous, lines=LAST_LINES)
        except ClusterError as error:
            return f"(its log cannot be read: {error})"
        return " | ".join(line.strip() for line in text.splitlines() if line.strip())[-MOST_LETTERS:]

    def _unready(self, pod: Pod) -> dict[str, str]:
        """The reasons of `/readyz`, model by model."""
        if pod.status.phase != "Running" or pod.is_leaving or not pod.has_started:
            return {}
        with PodEndpoint(self._cluster, pod, HTTP_PORT, seconds=READINESS_SECONDS) as endpoint:
            try:
                return unready_reasons(endpoint.ask("GET", "/readyz"))
            except ClusterError:
                return {}
