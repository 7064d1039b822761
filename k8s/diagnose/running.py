"""What is wrong with the workload and its pods: from a missing Deployment to an agent that cannot ship."""

from __future__ import annotations

from collections.abc import Iterator

from k8s.api.objects import ContainerStatus, Deployment, Pod
from k8s.diagnose.facts import ClusterFacts, PodView
from k8s.loaded_models import judge
from k8s.pod_troubles import STORM_RESTARTS, troubles
from k8s.progress import Phase, progress
from k8s.report import Finding, Severity, failed, ok, warning
from k8s.rollout.follow import creation_troubles

OLD_RECORDS_SECONDS = 300.0
BACKLOG_RECORDS = 10_000
LOG_COMMAND = "kubectl logs -n {namespace} {pod} -c agent --tail 50"


def workload_findings(facts: ClusterFacts) -> Iterator[Finding]:
    found, name = facts.found, str(facts.workload)
    if found is None:
        where = f"there is no {name} in {facts.namespace}"
        yield failed(
            name,
            where,
            "another namespace or context?",
            "kubectl get deployments -A -l app.kubernetes.io/name=slipway",
        )
        return
    for one in (found, *facts.behind):
        yield from creation_troubles(one)
    yield _progress(facts, name)


def _progress(facts: ClusterFacts, name: str) -> Finding:
    now, found = progress(facts.found, facts.workload.kind, facts.behind), facts.found
    if now.phase is Phase.FAILED:
        advice = "`python -m k8s rollback` says how to go back"
        return failed(name, now.text, advice, "python -m k8s rollout")
    if now.phase is Phase.GOING:
        answering = sum(view.pod.is_ready for view in facts.pods)
        made = warning if answering else failed
        return made(name, f"{now.text}; {answering} pods take requests", "", "python -m k8s rollout")
    if isinstance(found, Deployment) and found.spec.replicas == 0:
        command = f"kubectl scale -n {facts.namespace} {name} --replicas 2"
        return failed(name, "is scaled to 0: nobody answers", "", command)
    return ok(name, now.text)


def pod_findings(facts: ClusterFacts) -> Iterator[Finding]:
    for view in facts.pods:
        found = troubles(view.facts)
        yield from found
        known = {finding.check for finding in found if finding.severity is Severity.FAILED}
        for status in view.pod.statuses:
            where = f"{view.pod.name}/{status.name}"
            if where not in known:
                yield from _restarts(view.pod, status, where)
        yield from _agent(facts, view, known)
    if facts.pods and all(view.pod.is_ready for view in facts.pods):
        yield ok("pods", f"all {len(facts.pods)} are ready")


def _restarts(pod: Pod, status: ContainerStatus, where: str) -> Iterator[Finding]:
    ended = status.last_state.terminated
    if status.restart_count < STORM_RESTARTS or (ended is not None and ended.reason == "OOMKilled"):
        return
    why = f", last with exit code {ended.exit_code} {ended.reason}".rstrip() if ended is not None else ""
    command = f"kubectl logs -n {pod.metadata.namespace} {pod.name} -c {status.name} --previous"
    yield warning(where, f"was restarted {status.restart_count} times{why}", "", command)


def _agent(facts: ClusterFacts, view: PodView, known: set[str]) -> Iterator[Finding]:
    where = f"{view.pod.name}/agent"
    log = LOG_COMMAND.format(namespace=facts.namespace, pod=view.pod.name)
    status = next((one for one in view.pod.statuses if one.name == "agent"), None)
    if status is not None and not status.ready and status.state.running is not None and where not in known:
        yield failed(
            where, "runs and is not ready: versions are not followed, the log is not shipped", "", log
        )
    yield from _spool(view, where, log)
    yield from _registry(view, where, log)


def _spool(view: PodView, where: str, log: str) -> Iterator[Finding]:
    """Predictions that are not in SQL yet, and those that never will be."""
    dropped = view.service.total("slipway_prediction_log_records_total", result="dropped")
    if dropped:
        advice = "the spool was full or its disk failed: SPOOL_LIMIT_BYTES, and is the database up?"
        yield failed(view.pod.name, f"{dropped:.0f} predictions were answered and not logged", advice, log)
    oldest = view.agent.total("slipway_agent_oldest_unshipped_seconds")
    pending = view.service.total("slipway_prediction_log_pending")
    failures = view.agent.total("slipway_agent_ship_failures_total")
    if oldest > OLD_RECORDS_SECONDS or pending > BACKLOG_RECORDS:
        text = f"{pending:.0f} records wait for SQL, the oldest for {oldest:.0f} s ({failures:.0f} failed attempts)"
        yield warning(
            where, text, "database-url, migrations, or the NetworkPolicy's way to the database", log
        )


def _registry(view: PodView, where: str, log: str) -> Iterator[Finding]:
    polls = {
        sample.labels["result"]: sample.value for sample in view.agent.named("slipway_registry_polls_total")
    }
    bad = sum(count for result, count in polls.items() if result != "ok")
    if bad and not polls.get("ok"):
        advice = "MLFLOW_TRACKING_URI, the Secret slipway-registry, and the NetworkPolicy's way there"
        yield failed(where, f"the registry has never answered ({bad:.0f} polls failed)", advice, log)
    elif bad > polls.get("ok", 0.0):
        yield warning(where, f"most polls of the registry fail ({bad:.0f})", "", log)
    for sample in view.agent.named("slipway_model_versions_refused_total"):
        if sample.value:
            advice = (
                "the version was made for other code: retrain, or roll the image; what served before goes on"
            )
            yield warning(where, f"{sample.labels['model']}: a version does not fit this image", advice, log)


def model_findings(facts: ClusterFacts) -> Iterator[Finding]:
    """Only what differs: that all is well is said once."""
    read = [view.models for view in facts.pods if view.models is not None]
    found = [*judge(read)] if read else []
    wrong = [finding for finding in found if finding.severity is not Severity.OK]
    if wrong:
        yield from wrong
    elif found:
        yield ok("models", f"{len(found)} as wanted in {len(read)} pods")
