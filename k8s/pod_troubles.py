"""Why a pod does not serve: from its own words (status, events, log, readiness) to a sentence and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from k8s.api.objects import ContainerStatus, Event, Pod
from k8s.report import Finding, failed, warning

IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
CONFIGURATION = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
BEFORE_START = ("ContainerCreating", "PodInitializing")
STORM_RESTARTS = 3
OOM = "OOMKilled"


@dataclass(frozen=True, kw_only=True)
class PodFacts:
    """One pod, its events (oldest first), the last words of containers that died, and what `/readyz` says."""

    pod: Pod
    events: Sequence[Event] = ()
    last_words: Mapping[str, str] = field(default_factory=dict)
    unready: Mapping[str, str] = field(default_factory=dict)


def troubles(facts: PodFacts) -> list[Finding]:
    """What is wrong now, worst first; nothing for a pod that serves and has not been hurt lately."""
    pod = facts.pod
    found = [*_placement(facts), *_phase(facts)]
    for status in pod.statuses:
        found += _container(facts, status)
    found += _mounts(facts)
    if not found:
        found += _unready(facts)
    return found


def _command(facts: PodFacts, verb: str) -> str:
    return f"kubectl {verb} -n {facts.pod.metadata.namespace} {facts.pod.name}".replace(
        "describe", "describe pod"
    )


def _placement(facts: PodFacts) -> Iterator[Finding]:
    scheduled = facts.pod.status.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        yield failed(
            facts.pod.name,
            f"no node takes it: {scheduled.message}",
            "more nodes, smaller requests, or a taint that it must tolerate",
            "python -m k8s preflight",
        )


def _phase(facts: PodFacts) -> Iterator[Finding]:
    status = facts.pod.status
    if status.phase == "Failed":
        yield failed(
            facts.pod.name,
            f"{status.reason or 'failed'}: {status.message}".removesuffix(": "),
            _advice(status.reason),
        )


def _advice(reason: str) -> str:
    if reason == "Evicted":
        return "a volume or the node ran full: compare SPOOL_LIMIT_BYTES with the volume's sizeLimit"
    return ""


def _container(facts: PodFacts, status: ContainerStatus) -> Iterator[Finding]:
    where = f"{facts.pod.name}/{status.name}"
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting is not None and waiting.reason in IMAGE:
        yield failed(
            where,
            f"{waiting.reason}: {waiting.message}",
            "is the digest in the registry, and may this namespace pull it (imagePullSecrets)?",
            _command(facts, "describe"),
        )
    elif waiting is not None and waiting.reason in CONFIGURATION:
        yield failed(
            where, f"{waiting.reason}: {waiting.message}", "a Secret or ConfigMap is missing, or a key of it"
        )
    elif waiting is not None and waiting.reason == "CrashLoopBackOff":
        yield _crash(facts, status, where)
    elif ended is not None and ended.exit_code != 0:
        yield _crash(facts, status, where)
    elif _killed_for_memory(status):
        yield warning(
            where,
            f"was killed for its memory {status.restart_count} times and runs again",
            "raise the memory limit, or look for what grew: see `/metrics`",
            _command(facts, "describe"),
        )


def _crash(facts: PodFacts, status: ContainerStatus, where: str) -> Finding:
    ended = status.state.terminated or status.last_state.terminated
    cause = ""
    if ended is not None:
        cause = f"exit code {ended.exit_code}" + (
            f", {ended.reason}" if ended.reason not in ("", "Error") else ""
        )
    words = facts.last_words.get(status.name, "").strip()
    said = f"; it said: {words}" if words else ""
    advice = "raise the memory limit, or look for what grew" if _killed_for_memory(status) else ""
    return failed(
        where,
        f"crashes ({status.restart_count} restarts, {cause}){said}".replace(", )", ")"),
        advice,
        f"kubectl logs -n {facts.pod.metadata.namespace} {facts.pod.name} -c {status.name} --previous",
    )


def _killed_for_memory(status: ContainerStatus) -> bool:
    ends = (status.state.terminated, status.last_state.terminated)
    return any(end is not None and end.reason == OOM for end in ends)


def _mounts(facts: PodFacts) -> Iterator[Finding]:
    """A pod that waits for a Secret says so in events only, which stay when it has got it."""
    states = [status.state.waiting for status in facts.pod.statuses]
    if not any(waiting is not None and waiting.reason in BEFORE_START for waiting in states):
        return
    told = [event for event in facts.events if event.reason in ("FailedMount", "FailedAttachVolume")]
    if told:
        yield failed(
            facts.pod.name,
            f"{told[-1].reason}: {told[-1].message}",
            "create what is missing; the pod goes on by itself",
        )


def _unready(facts: PodFacts) -> Iterator[Finding]:
    pod = facts.pod
    if pod.is_ready or pod.is_leaving or pod.status.phase != "Running":
        return
    if facts.unready:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in facts.unready.items())
        yield failed(pod.name, f"not ready: {reasons}", "", "python -m k8s models")
        return
    probes = [event.message for event in facts.events if event.reason == "Unhealthy"]
    slow = [status.name for status in pod.statuses if status.started is False]
    if probes:
        yield failed(pod.name, f"not ready: {probes[-1]}")
    elif slow:
        yield warning(pod.name, f"{', '.join(slow)} has not started yet")
    else:
        yield warning(pod.name, "not ready yet")
