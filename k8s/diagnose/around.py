"""What is wrong around the pods: autoscaler, disruption budget, Service, NetworkPolicies, ServiceMonitor."""

from __future__ import annotations

from collections.abc import Iterator

from k8s.api.objects import Condition, Pod
from k8s.api.surroundings import Autoscaler, Budget, Monitor, NetworkPolicy, Service
from k8s.diagnose.facts import ClusterFacts
from k8s.report import Finding, failed, ok, warning

DNS_PORT = 53


def autoscaling_findings(facts: ClusterFacts) -> Iterator[Finding]:
    # KServe makes a Deployment of its own for an InferenceService.
    names = (facts.workload.name, f"{facts.workload.name}-predictor")
    for found in facts.autoscalers:
        if found.spec.scale_target_ref.name in names:
            yield from _autoscaler(facts, found)


def _autoscaler(facts: ClusterFacts, found: Autoscaler) -> Iterator[Finding]:
    where = f"autoscaler/{found.name}"
    command = f"kubectl describe hpa -n {facts.namespace} {found.name}"
    conditions = {condition.type: condition for condition in found.status.conditions or ()}
    wrong = [
        one
        for name in ("AbleToScale", "ScalingActive")
        if (one := conditions.get(name)) is not None and one.status == "False"
    ]
    for one in wrong:
        yield failed(where, f"does not scale: {one.reason}: {one.message}", _scaling_advice(one), command)
    if found.status.current_replicas >= found.spec.max_replicas > 0:
        limited = conditions.get("ScalingLimited")
        more = " and wants more" if limited is not None and limited.reason == "TooManyReplicas" else ""
        advice = "raise maxReplicas if the nodes and the database can take it"
        yield warning(where, f"is at its maximum of {found.spec.max_replicas}{more}", advice, command)
    elif not wrong:
        status = found.status
        yield ok(
            where, f"{status.current_replicas} now, {found.spec.min_replicas} to {found.spec.max_replicas}"
        )


def _scaling_advice(condition: Condition) -> str:
    if condition.reason == "FailedGetResourceMetric":
        return "is metrics-server running (`kubectl top pods`), and does each container request CPU?"
    if condition.reason in ("FailedGetExternalMetric", "FailedGetPodsMetric", "FailedGetObjectMetric"):
        return "the metric is unknown: Prometheus' address, its query, and whether it scrapes the service"
    if condition.reason == "ScalingDisabled":
        return "replicas are 0, which switches the autoscaler off: set them to 1 or more by hand"
    return ""


def budget_findings(facts: ClusterFacts) -> Iterator[Finding]:
    for found in facts.budgets:
        if found.spec.selector is not None and _selects(found.spec.selector.match_labels, facts):
            yield from _budget(facts, found)


def _budget(facts: ClusterFacts, found: Budget) -> Iterator[Finding]:
    status, where = found.status, f"budget/{found.name}"
    if status.expected_pods and not status.disruptions_allowed:
        healthy = (
            f"{status.current_healthy} healthy of {status.expected_pods}, {status.desired_healthy} needed"
        )
        command = f"kubectl describe pdb -n {facts.namespace} {found.name}"
        advice = "a drain of a node waits until more pods are ready"
        yield warning(where, f"allows no disruption ({healthy})", advice, command)


def service_findings(facts: ClusterFacts) -> Iterator[Finding]:
    ours = [service for service in facts.services if _selects(service.spec.selector, facts)]
    if facts.services and facts.pods and not ours:
        command = f"kubectl get services -n {facts.namespace} -o wide"
        yield failed(
            "service", "no Service selects the pods: nobody can reach them", "compare the labels", command
        )


def policy_findings(facts: ClusterFacts) -> Iterator[Finding]:
    """What the policies that hold for our pods leave open. They add up: one that allows is enough."""
    ours = [
        policy
        for policy in facts.policies
        if any(policy.spec.pod_selector.admits(view.pod.metadata.labels or {}) for view in facts.pods)
    ]
    command = f"kubectl describe networkpolicies -n {facts.namespace}"
    if outward := [policy for policy in ours if "Egress" in policy.spec.policy_types]:
        if not _open(outward, "egress", {str(DNS_PORT), "dns"}):
            advice = "allow UDP and TCP 53 to kube-dns"
            yield failed("network", "nothing may ask DNS: every name lookup times out", advice, command)
    if inward := [policy for policy in ours if "Ingress" in policy.spec.policy_types]:
        pod = facts.pods[0].pod
        if not _open(inward, "ingress", {"http", str(pod.port("http", 8000))}):
            yield failed("network", "nobody may reach the port http", "allow it from your clients", command)
        if not _open(inward, "ingress", {"metrics", str(pod.port("metrics", 9100))}):
            yield warning("network", "nobody may reach the port metrics: Prometheus is blind", "", command)


def _open(policies: list[NetworkPolicy], direction: str, names: set[str]) -> bool:
    rules = [rule for policy in policies for rule in getattr(policy.spec, direction) or ()]
    return any(
        not rule.get("ports") or any(str(port.get("port", "")) in {*names, ""} for port in rule["ports"])
        for rule in rules
    )


def monitor_findings(facts: ClusterFacts) -> Iterator[Finding]:
    if facts.monitors is None:
        return
    ours = [
        monitor
        for monitor in facts.monitors
        if facts.workload.name in monitor.name
        or monitor.metadata.label("app.kubernetes.io/name") == "slipway"
    ]
    for monitor in ours:
        yield from _monitor(facts, monitor)


def _monitor(facts: ClusterFacts, monitor: Monitor) -> Iterator[Finding]:
    where = f"servicemonitor/{monitor.name}"
    command = f"kubectl get services -n {facts.namespace} --show-labels"
    chosen: list[Service] = [
        service for service in facts.services if monitor.spec.selector.admits(service.metadata.labels or {})
    ]
    if not chosen:
        yield failed(
            where, "selects no Service: nothing is scraped", "it selects on the Service's labels", command
        )
        return
    ports = {port.name for service in chosen for port in service.spec.ports}
    for endpoint in monitor.spec.endpoints:
        if endpoint.port not in ports:
            has = ", ".join(sorted(ports))
            yield failed(where, f"scrapes the port {endpoint.port}, the Service has {has}", "", command)


def _selects(labels: dict[str, str] | None, facts: ClusterFacts) -> bool:
    pods: list[Pod] = [view.pod for view in facts.pods]
    return bool(labels) and any(
        all((pod.metadata.labels or {}).get(name) == value for name, value in (labels or {}).items())
        for pod in pods
    )
