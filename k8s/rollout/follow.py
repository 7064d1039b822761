"""Follows a change of the service to its end, and says on the way what happens and what holds it up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from k8s.api.cluster import CALL_SECONDS, Cluster, Scope
from k8s.api.following import WATCH_SECONDS, Change, Following, Snapshot
from k8s.api.kinds import DEPLOYMENTS, EVENTS, PODS
from k8s.api.objects import Deployment, Event, InferenceService, Pod
from k8s.errors import Missing
from k8s.pod_troubles import troubles
from k8s.progress import Phase, Progress, behind_it, progress
from k8s.report import Finding, Report, failed, ok
from k8s.terminal import Terminal
from k8s.witness import Witness
from k8s.workload import Workload, pod_labels

LOOK_SECONDS = 5.0
MOST_ASKED = 3
SETTLE_SECONDS, LONGEST_SETTLE_SECONDS = 0.05, 0.5
WORKLOAD, BEHIND, POD, EVENT = "workload", "behind", "pod", "event"


@dataclass
class Board:
    """What is known now, by name."""

    known: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {name: {} for name in (WORKLOAD, BEHIND, POD, EVENT)}
    )
    seen: set[str] = field(default_factory=set)

    def hear(self, name: str, told: Snapshot[Any] | Change[Any]) -> None:
        self.seen.add(name)
        if isinstance(told, Snapshot):
            self.known[name] = {item.name: item for item in told.items}
        elif told.gone:
            self.known[name].pop(told.item.name, None)
        else:
            self.known[name][told.item.name] = told.item

    @property
    def workload(self) -> Any:
        return next(iter(self.known[WORKLOAD].values()), None)

    @property
    def behind(self) -> tuple[Deployment, ...]:
        """The Deployments that the workload stands before."""
        return tuple(one for _, one in sorted(self.known[BEHIND].items()))

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(pod for _, pod in sorted(self.known[POD].items()) if not pod.is_leaving)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self.known[EVENT].values())


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is followed, to which image (empty: any), how long, and (for tests) how long one watch lasts."""

    workload: Workload
    seconds: float
    image: str = ""
    watch_seconds: int = WATCH_SECONDS


def follow(cluster: Cluster, wanted: Wanted, terminal: Terminal) -> Report:
    """Exit code 1 when it failed, stalled, or was not done in time. Raises Missing where there is nothing to follow."""
    found = cluster.get(wanted.workload.api, wanted.workload.name)
    labels = pod_labels(cluster, wanted.workload, found)
    with Following(cluster, watch_seconds=wanted.watch_seconds) as following:
        following.follow(WORKLOAD, wanted.workload.api, Scope(fields=f"metadata.name={wanted.workload.name}"))
        following.follow(POD, PODS, Scope(labels=labels))
        following.follow(EVENT, EVENTS, Scope())
        followed = {WORKLOAD, POD, EVENT}
        if (scope := behind_it(found)) is not None:
            following.follow(BEHIND, DEPLOYMENTS, scope)
            followed.add(BEHIND)
        return _Follow(cluster, wanted, terminal).run(following, followed)


class _Follow:
    def __init__(self, cluster: Cluster, wanted: Wanted, terminal: Terminal) -> None:
        self._cluster, self._wanted, self._terminal = cluster, wanted, terminal
        self._witness = Witness(cluster)
        self._board = Board()
        self._said: dict[str, str] = {}
        self._began = time.monotonic()
        self._next_look = 0.0

    def run(self, following: Following, followed: set[str]) -> Report:
        """Nothing is said before each that is `followed` has told what there is."""
        deadline = self._began + self._wanted.seconds
        while True:
            left = deadline - time.monotonic()
            self._hear(following, seconds=min(max(left, SETTLE_SECONDS), LOOK_SECONDS))
            if self._board.seen >= followed:
                if report := self._look(over=time.monotonic() >= deadline):
                    return report
            elif time.monotonic() >= max(deadline, self._began + CALL_SECONDS):  # one look is always taken
                return self._report(failed("rollout", "the API server did not answer in time"))

    def _hear(self, following: Following, *, seconds: float) -> None:
        """What comes close together is looked at once, but never waited for without end."""
        until = time.monotonic() + max(0.0, seconds) + LONGEST_SETTLE_SECONDS
        told = following.next(seconds)
        while told is not None:
            self._board.hear(*told)
            told = following.next(SETTLE_SECONDS) if time.monotonic() < until else None

    def _look(self, *, over: bool) -> Report | None:
        """Says what is new; the report when that was the end."""
        if self._board.workload is None:
            raise Missing(f"{self._wanted.workload} was deleted", status=404)
        now = progress(
            self._board.workload,
            self._wanted.workload.kind,
            self._board.behind,
            image=self._wanted.image,
        )
        self._say(str(self._wanted.workload), now.text)
        if now.phase is Phase.DONE:
            return self._report(ok("rollout", now.text))
        causes = self._causes(asked=over or now.phase is Phase.FAILED)
        for cause in causes:
            self._say(cause.check, cause.text)
        if now.phase is Phase.FAILED:
            return self._report(self._end(now), *causes)
        if over:
            late = f"not done after {self._wanted.seconds:g} s: {now.text}"
            return self._report(failed("rollout", late, "", "python -m k8s diagnose"), *causes)
        return None

    def _end(self, now: Progress) -> Finding:
        advice = "`python -m k8s rollback` says how to go back"
        return failed("rollout", now.text, advice, "python -m k8s diagnose")

    def _causes(self, *, asked: bool) -> list[Finding]:
        """What holds it up. Pods are asked for their reasons every few seconds, not at every event."""
        now = time.monotonic()
        if not asked and now < self._next_look:
            return []
        self._next_look = now + (LOOK_SECONDS if self._board.pods else 0.0)
        found = [one for it in (self._board.workload, *self._board.behind) for one in creation_troubles(it)]
        waiting = [pod for pod in self._board.pods if not pod.is_ready]
        for pod in self._board.pods:
            # Each that is asked may take seconds: a few of many say enough.
            facts = self._witness.facts(pod, self._board.events, ask=pod in waiting[:MOST_ASKED])
            found += troubles(facts)
        return found

    def _say(self, who: str, text: str) -> None:
        if self._said.get(who) != text:
            self._said[who] = text
            self._terminal.say(f"{who}: {text}")

    def _report(self, *findings: Finding) -> Report:
        took = time.monotonic() - self._began
        end = "done" if all(finding.severity != "failed" for finding in findings) else "NOT done"
        return Report(
            verb="rollout",
            subject=f"{self._wanted.workload} in {self._cluster.namespace}",
            namespace=self._cluster.namespace,
            conclusion=f"{end} after {took:.0f} s",
            findings=findings,
        )


def creation_troubles(found: Deployment | InferenceService) -> list[Finding]:
    """Pods that were never made: a quota, an admission rule, a Pod Security level."""
    refused = found.status.condition("ReplicaFailure")
    if refused is None or refused.status != "True":
        return []
    return [failed("pods", f"{refused.reason}: {refused.message}", _creation_advice(refused.message))]


def _creation_advice(message: str) -> str:
    if "exceeded quota" in message:
        return "raise the ResourceQuota, or lower requests or the autoscaler's maximum"
    if "violates PodSecurity" in message:
        return "the namespace's level forbids what the pod asks for: render the overlay as it is reviewed"
    return ""
