"""`k8s rollout`: it ends when the change has ended, says why it does not, and no weather on the way confuses it."""

from __future__ import annotations

import json
import threading
import time

import pytest

from tests.fakes.api_server import shapes, sick_pods
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.http_service import HttpService, Said
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.followed import PATIENCE_SECONDS, followed, going


def hear(capsys: pytest.CaptureFixture[str], words: str) -> None:
    """Waits until the verb has said it."""
    deadline, said = time.monotonic() + PATIENCE_SECONDS, ""
    while words not in said:
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
        said += capsys.readouterr().err


def test_what_is_done_already_is_done(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.deployment(), shapes.pod())
    result = ask("rollout")
    assert (result.code, result.findings("ok")) == (0, ["rollout: 2 of 2 new, 2 available"])


def test_it_ends_when_the_last_pod_is_available(
    api: FakeApiServer, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    api.add(going(), shapes.pod())
    with followed(ask) as result:
        hear(capsys, "1 of 2 new, 1 available")
        api.add(going(updated=2))
        hear(capsys, "2 of 2 new, 1 available, 1 old to go")
        api.add(shapes.deployment())
        assert result.result(PATIENCE_SECONDS).code == 0
    assert "2 of 2 new, 2 available" in capsys.readouterr().err


def test_a_change_that_the_controller_has_not_seen_is_not_done(api: FakeApiServer, ask: Ask) -> None:
    seen_before = shapes.deployment()
    seen_before["metadata"]["generation"] = 2
    api.add(seen_before)
    with followed(ask) as result:
        api.wait_for_streams("deployments")
        assert not result.done()
        api.add(shapes.deployment(observed=2))
        assert result.result(PATIENCE_SECONDS).code == 0


def test_a_stalled_rollout_fails_with_its_cause(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.stalled(), sick_pods.image_missing())
    result = ask("rollout")
    assert result.code == 1
    assert "has timed out progressing" in result.findings()[0]
    assert "ImagePullBackOff" in result.findings()[1]
    assert "rollback" in result.report["findings"][0]["advice"]


CAUSES = {
    "no node": (sick_pods.unschedulable(), "3 Insufficient cpu"),
    "no image": (sick_pods.image_missing(), "code = NotFound"),
    "a crash": (sick_pods.crashing(), "crashes (4 restarts, exit code 1)"),
    "eviction": (sick_pods.evicted(), 'Evicted: Usage of EmptyDir volume "spool"'),
}


@pytest.mark.parametrize("name", CAUSES)
def test_when_the_time_is_over_the_cause_is_named(api: FakeApiServer, ask: Ask, name: str) -> None:
    pod, words = CAUSES[name]
    api.add(going(), pod)
    result = ask("rollout", "--timeout", 0.2)
    assert result.code == 1
    assert "not done after" in result.findings()[0]
    assert words in result.findings()[1]


def test_a_crash_is_quoted_with_its_last_words(api: FakeApiServer, ask: Ask) -> None:
    api.add(going(), sick_pods.crashing("slipway-1"))
    api.logs["slipway-1", "slipway", True] = "Traceback\n  deep\nMODEL_SOURCE=path needs MODEL_PATH\n"
    assert (
        "it said: Traceback | deep | MODEL_SOURCE=path needs"
        in ask("rollout", "--timeout", 0.2).findings()[1]
    )


def test_a_pod_that_waits_for_a_secret_is_understood(api: FakeApiServer, ask: Ask) -> None:
    pod = sick_pods.without_secret()
    words = 'MountVolume.SetUp failed for volume "secrets" : secret "slipway-secrets" not found'
    api.add(going(), pod, shapes.event(pod, "FailedMount", words))
    assert 'secret "slipway-secrets" not found' in ask("rollout", "--timeout", 0.2).findings()[1]


def test_pods_that_a_quota_forbids_are_a_cause(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.over_quota())
    result = ask("rollout", "--timeout", 0.2)
    assert "exceeded quota: team" in result.findings()[1]
    assert "ResourceQuota" in result.report["findings"][1]["advice"]


def test_an_unready_pod_is_asked_for_its_reasons(api: FakeApiServer, ask: Ask) -> None:
    reasons = {"ready": False, "reasons": {"iris": "no version has been found yet"}}
    api.add(going(), shapes.pod("slipway-1", container=shapes.running("slipway", ready=False)))
    with HttpService(lambda asked: Said(503, json.dumps(reasons).encode())) as pod:
        api.backends["slipway-1", 8000] = pod.address
        result = ask("rollout", "--timeout", 0.3)
    assert "not ready: iris: no version has been found yet" in result.findings()[1]


def test_a_pod_that_cannot_be_asked_is_still_reported(api: FakeApiServer, ask: Ask) -> None:
    pod = shapes.pod("slipway-1", container=shapes.running("slipway", ready=False))
    api.add(
        going(),
        pod,
        shapes.event(pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
    )
    assert "Readiness probe failed" in ask("rollout", "--timeout", 0.2).findings()[1]


def test_a_workload_that_is_deleted_meanwhile_ends_it(
    api: FakeApiServer, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    api.add(going())
    with followed(ask) as result:
        api.wait_for_streams("deployments")
        api.remove("Deployment", shapes.NAME)
        assert result.result(PATIENCE_SECONDS).code == 2
    assert "was deleted" in capsys.readouterr().err


def test_without_the_workload_there_is_nothing_to_follow(
    api: FakeApiServer, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("rollout").code == 2
    assert 'deployments "slipway" not found' in capsys.readouterr().err


def test_nothing_is_left_running_afterwards(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.deployment())
    before = threading.active_count()
    ask("rollout")
    api.state.drop_watches()
    deadline = threading.Event()
    for _ in range(200):
        if threading.active_count() <= before:
            break
        deadline.wait(0.02)
    assert threading.active_count() <= before


NEW = "registry.example/slipway@sha256:" + "b" * 64


def test_with_an_image_it_waits_until_the_pods_are_of_it(
    api: FakeApiServer, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    api.add(shapes.deployment(), shapes.pod())
    with followed(ask, "--image", NEW) as result:
        hear(capsys, f"waiting for {NEW}: asked for is {shapes.IMAGE}")
        api.add(shapes.deployment(image=NEW, updated=1, total=3))
        hear(capsys, "1 of 2 new")
        api.add(shapes.deployment(image=NEW))
        assert result.result(PATIENCE_SECONDS).code == 0


@pytest.mark.parametrize("image", [shapes.IMAGE, shapes.IMAGE.partition("@")[2]])
def test_an_image_is_a_name_or_a_digest(api: FakeApiServer, ask: Ask, image: str) -> None:
    api.add(shapes.deployment())
    assert ask("rollout", "--image", image).code == 0
    late = ask("rollout", "--timeout", 0.2, "--image", image.replace("a", "c"))
    assert (late.code, "not done after" in late.findings()[0]) == (1, True)


def test_nothing_runs_the_image_where_no_pod_is_wanted(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.deployment(wanted=0, updated=0, available=0))
    assert ask("rollout").code == 0
    late = ask("rollout", "--timeout", 0.2, "--image", shapes.IMAGE)
    assert "scaled to 0: nothing runs the image" in late.findings()[0]
