"""`k8s diagnose`: silent about what is well, and for each thing that can be wrong a sentence and a next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.fakes.api_server import shapes, sick_pods, surroundings
from tests.fakes.api_server.server import FakeApiServer, Fault
from tests.fakes.replica import Replica, model
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.verb import Result

Json = shapes.Json


class Healthy:
    """A service in which nothing is wrong; a test then breaks one thing."""

    def __init__(self, api: FakeApiServer, stack: ExitStack) -> None:
        self.api = api
        api.add(
            shapes.deployment(),
            surroundings.service(),
            surroundings.autoscaler(),
            surroundings.budget(),
            surroundings.default_deny(),
            surroundings.allowing(),
            surroundings.monitor(),
        )
        self.first, self.second = (
            stack.enter_context(Replica(api, name, model("iris", "3", "3")))
            for name in ("slipway-1", "slipway-2")
        )


@pytest.fixture
def service(api: FakeApiServer) -> Iterator[Healthy]:
    with ExitStack() as stack:
        yield Healthy(api, stack)


def test_a_healthy_service_has_nothing_wrong(service: Healthy, ask: Ask) -> None:
    result = ask("diagnose")
    assert (result.code, result.findings(), result.findings("warning")) == (0, [], [])
    assert result.report["conclusion"] == "nothing wrong"


def test_the_page_fits_a_terminal(service: Healthy, api: FakeApiServer, ask: Ask) -> None:
    long = "x" * 30 + " word" * 40
    api.add(surroundings.without_metrics(), shapes.event(sick_pods.crashing("slipway-1"), "BackOff", long))
    text = ask("diagnose", "--output", "text").text
    too_long = [line for line in text.splitlines() if len(line) > 100 and "$ kubectl" not in line]
    assert too_long == []


def no_deployment(service: Healthy) -> None:
    service.api.remove("Deployment", shapes.NAME)


def a_stall(service: Healthy) -> None:
    service.api.add(shapes.stalled())


def a_quota(service: Healthy) -> None:
    service.api.add(shapes.over_quota())


def a_scale_to_nothing(service: Healthy) -> None:
    service.api.add(shapes.deployment(wanted=0, updated=0, available=0))


def an_unschedulable_pod(service: Healthy) -> None:
    service.api.add(sick_pods.unschedulable())


def a_missing_image(service: Healthy) -> None:
    service.api.add(sick_pods.image_missing())


def a_crash_loop(service: Healthy) -> None:
    service.api.add(sick_pods.crashing())


def an_eviction(service: Healthy) -> None:
    service.api.add(sick_pods.evicted())


def a_missing_secret(service: Healthy) -> None:
    pod = sick_pods.without_secret()
    service.api.add(pod, shapes.event(pod, "FailedMount", 'secret "slipway-secrets" not found'))


def an_agent_that_is_down(service: Healthy) -> None:
    crashed = shapes.waiting("agent", "CrashLoopBackOff", "back-off", restarts=7, last=shapes.ended(2))
    service.api.add(shapes.pod("slipway-1", agent=crashed))


def an_agent_that_is_not_ready(service: Healthy) -> None:
    service.api.add(shapes.pod("slipway-1", agent=shapes.running("agent", ready=False)))


def a_registry_that_never_answered(service: Healthy) -> None:
    service.first.agent_metrics = 'slipway_registry_polls_total{result="error"} 40.0\n'


def lost_predictions(service: Healthy) -> None:
    service.first.extra_metrics = 'slipway_prediction_log_records_total{result="dropped"} 17.0\n'


def an_alias_that_does_not_exist(service: Healthy) -> None:
    service.first.models = (model("iris", None, None, state="waiting"),)
    service.first.reasons = {"iris": "no version has been found yet"}
    service.api.add(shapes.pod("slipway-1", container=shapes.running("slipway", ready=False)))


def a_skew(service: Healthy) -> None:
    service.second.models = (model("iris", "2", "3"),)


def an_autoscaler_without_metrics(service: Healthy) -> None:
    service.api.add(surroundings.without_metrics())


def a_service_that_selects_nobody(service: Healthy) -> None:
    service.api.add(surroundings.service(selector={"app": "slipway"}))


def no_dns(service: Healthy) -> None:
    service.api.add(surroundings.allowing(dns=False))


def no_way_in(service: Healthy) -> None:
    service.api.add(surroundings.allowing(http=False))


def a_monitor_that_selects_nothing(service: Healthy) -> None:
    service.api.add(surroundings.monitor(labels={"app": "slipway"}))


def a_monitor_of_another_port(service: Healthy) -> None:
    service.api.add(surroundings.monitor(port="prometheus"))


WRONG: dict[Callable[[Healthy], None], str] = {
    no_deployment: "there is no deployment/slipway",
    a_stall: "timed out progressing",
    a_quota: "exceeded quota",
    a_scale_to_nothing: "scaled to 0",
    an_unschedulable_pod: "3 Insufficient cpu",
    a_missing_image: "ImagePullBackOff",
    a_crash_loop: "crashes (4 restarts, exit code 1)",
    an_eviction: "Evicted",
    a_missing_secret: 'secret "slipway-secrets" not found',
    an_agent_that_is_down: "slipway-1/agent: crashes (7 restarts, exit code 2)",
    an_agent_that_is_not_ready: "slipway-1/agent: runs and is not ready",
    a_registry_that_never_answered: "the registry has never answered (40 polls failed)",
    lost_predictions: "17 predictions were answered and not logged",
    an_alias_that_does_not_exist: "not ready: iris: no version has been found yet",
    a_skew: "slipway-2 serves 2, wanted is another",
    an_autoscaler_without_metrics: "FailedGetResourceMetric",
    a_service_that_selects_nobody: "no Service selects the pods",
    no_dns: "nothing may ask DNS",
    no_way_in: "nobody may reach the port http",
    a_monitor_that_selects_nothing: "selects no Service",
    a_monitor_of_another_port: "scrapes the port prometheus, the Service has",
}


@pytest.mark.parametrize("break_it", WRONG, ids=lambda what: what.__name__)
def test_what_is_wrong_is_found(service: Healthy, ask: Ask, break_it: Callable[[Healthy], None]) -> None:
    break_it(service)
    result = ask("diagnose")
    assert result.code == 1
    assert WRONG[break_it] in " | ".join(result.findings())


def a_memory_kill(service: Healthy) -> None:
    service.api.add(sick_pods.out_of_memory("slipway-1"))


def many_restarts(service: Healthy) -> None:
    service.api.add(
        shapes.pod("slipway-1", container=shapes.running("slipway", restarts=5, last=shapes.ended(1)))
    )


def a_backlog(service: Healthy) -> None:
    service.first.agent_metrics += "slipway_agent_oldest_unshipped_seconds 3600.0\n"


def a_refused_version(service: Healthy) -> None:
    service.first.agent_metrics += 'slipway_model_versions_refused_total{model="iris"} 1.0\n'


def an_autoscaler_at_its_maximum(service: Healthy) -> None:
    service.api.add(surroundings.at_maximum())


def a_budget_that_blocks(service: Healthy) -> None:
    service.api.add(surroundings.budget(allowed=0, healthy=2))


def blind_prometheus(service: Healthy) -> None:
    service.api.add(surroundings.allowing(metrics=False))


ODD: dict[Callable[[Healthy], None], str] = {
    a_memory_kill: "was killed for its memory 2 times",
    many_restarts: "was restarted 5 times, last with exit code 1",
    a_backlog: "the oldest for 3600 s",
    a_refused_version: "iris: a version does not fit this image",
    an_autoscaler_at_its_maximum: "is at its maximum of 12 and wants more",
    a_budget_that_blocks: "allows no disruption (2 healthy of 3, 2 needed)",
    blind_prometheus: "Prometheus is blind",
}


@pytest.mark.parametrize("change_it", ODD, ids=lambda what: what.__name__)
def test_what_is_odd_is_a_warning_and_no_failure(
    service: Healthy, ask: Ask, change_it: Callable[[Healthy], None]
) -> None:
    change_it(service)
    result = ask("diagnose")
    assert (result.code, result.findings()) == (0, [])
    assert ODD[change_it] in " | ".join(result.findings("warning"))


def test_the_worst_comes_first(service: Healthy, ask: Ask) -> None:
    a_memory_kill(service)
    no_dns(service)
    severities = [finding["severity"] for finding in ask("diagnose").report["findings"]]
    assert severities == sorted(severities, key=("failed", "warning", "ok").index)


def test_every_failure_says_what_to_do_or_what_to_type(service: Healthy, ask: Ask) -> None:
    for break_it in (a_missing_image, a_crash_loop, no_dns, an_autoscaler_without_metrics, lost_predictions):
        break_it(service)
    found = [finding for finding in ask("diagnose").report["findings"] if finding["severity"] == "failed"]
    assert all(finding["advice"] or finding["command"] for finding in found)


def test_the_last_warnings_are_listed(service: Healthy, api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.event(shapes.pod("slipway-1"), "Unhealthy", "Liveness probe failed", count=9))
    assert ask("diagnose").report["tables"]["warnings"] == [
        {
            "time": "12:00:00",
            "object": "Pod/slipway-1",
            "count": "9",
            "event": "Unhealthy: Liveness probe failed",
        }
    ]


def test_without_the_prometheus_operator_nothing_is_missed(
    service: Healthy, api: FakeApiServer, ask: Ask
) -> None:
    api.forget_kind("ServiceMonitor")
    assert ask("diagnose").code == 0


def test_an_api_server_that_hangs_up_cannot_be_asked(
    service: Healthy, api: FakeApiServer, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    api.fail(Fault("/events", hang_up=True))
    result: Result = ask("diagnose")
    assert result.code == 2
    assert "does not answer" in capsys.readouterr().err
