"""`k8s models`: the same version wanted and served everywhere, or a no that says where and why."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.fakes.api_server import shapes, sick_pods
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.replica import TOKEN, Replica, model
from tests.integration.k8s.conftest import Ask


@pytest.fixture
def token(tmp_path: Path) -> tuple[str, Path]:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return "--token-file", path


def test_pods_that_serve_what_is_wanted_are_fine(
    api: FakeApiServer, ask: Ask, token: tuple[str, Path]
) -> None:
    with (
        Replica(api, "slipway-1", model("iris", "3", "3")),
        Replica(api, "slipway-2", model("iris", "3", "3")),
    ):
        result = ask("models", *token)
    assert (result.code, result.findings("ok")) == (0, ["iris: version 3 in 2 pods"])
    assert [row["pod"] for row in result.report["tables"]["models"]] == ["slipway-1", "slipway-2"]


def test_a_pod_behind_the_alias_is_skew(api: FakeApiServer, ask: Ask, token: tuple[str, Path]) -> None:
    late = model("iris", "2", "3", reason="version 3 does not fit: schema")
    with Replica(api, "slipway-1", model("iris", "3", "3")), Replica(api, "slipway-2", late):
        result = ask("models", *token)
    assert result.code == 1
    assert result.findings() == ["iris: slipway-2 serves 2, wanted is 3 (version 3 does not fit: schema)"]
    assert result.report["tables"]["models"][1]["state"] == "ready, SKEW"


def test_without_a_token_the_metrics_say_whether_it_is_the_right_one(api: FakeApiServer, ask: Ask) -> None:
    with Replica(api, "slipway-1", model("iris", "3", "3"), model("basket", "7", "8")):
        result = ask("models")
    assert result.findings() == ["basket: slipway-1 serves 7, wanted is another"]
    assert result.findings("ok") == ["iris: version 3 in 1 pods"]


def test_a_model_that_serves_nothing_is_named_with_its_reason(
    api: FakeApiServer, ask: Ask, token: tuple[str, Path]
) -> None:
    none = model("iris", None, None, state="waiting", reason="no version has been found yet")
    with Replica(api, "slipway-1", none):
        assert ask("models", *token).findings() == [
            "iris: slipway-1 serves none, it is waiting (no version has been found yet)"
        ]
        assert ask("models").code == 1


def test_pods_that_want_different_versions_see_different_registries(
    api: FakeApiServer, ask: Ask, token: tuple[str, Path]
) -> None:
    with (
        Replica(api, "slipway-1", model("iris", "3", "3")),
        Replica(api, "slipway-2", model("iris", "2", "2")),
    ):
        assert "want different versions: 2, 3" in ask("models", *token).findings()[0]


def test_what_serves_from_before_is_a_warning(api: FakeApiServer, ask: Ask, token: tuple[str, Path]) -> None:
    with Replica(api, "slipway-1", model("iris", "3", "3", stale=True)):
        result = ask("models", *token)
    assert result.code == 0
    assert "the registry has not answered" in result.findings("warning")[0]


def test_a_token_that_the_pods_refuse_is_said(api: FakeApiServer, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("nobody")
    with Replica(api, "slipway-1", model("iris", "3", "3")):
        result = ask("models", "--token-file", tmp_path / "bad")
    assert result.code == 1
    assert "401 unauthenticated" in result.findings()[0]


def test_our_token_never_reaches_the_api_server(
    api: FakeApiServer, ask: Ask, token: tuple[str, Path]
) -> None:
    with Replica(api, "slipway-1", model("iris", "3", "3")):
        ask("models", *token)
    assert not any(TOKEN in path for _, path in api.requests)


def test_a_port_that_nobody_listens_on_is_said_in_the_kubelets_words(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.pod("slipway-1"))
    assert "connection refused" in ask("models").findings()[0]


def test_pods_that_are_leaving_or_not_running_are_not_asked(api: FakeApiServer, ask: Ask) -> None:
    leaving = shapes.pod("slipway-1")
    leaving["metadata"]["deletionTimestamp"] = shapes.NOW
    api.add(leaving, sick_pods.unschedulable())
    result = ask("models")
    assert result.findings() == [f"pods: none runs in {shapes.NAMESPACE}"]


def test_a_pod_that_accepts_and_never_answers_is_not_waited_for(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.pod("slipway-1"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        api.backends["slipway-1", 9100] = silent.getsockname()
        result = ask("models", "--timeout", 1.5)
    assert result.code == 1
    assert "slipway-1: cannot be asked" in result.findings()[0]
