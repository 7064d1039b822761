"""`k8s rollout` while the API server forgets, hangs up, is busy or broken: it sees the end all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.api_server import shapes
from tests.fakes.api_server.server import FakeApiServer, Fault
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.followed import PATIENCE_SECONDS, followed, going


def compaction(api: FakeApiServer) -> None:
    api.state.forget_history()
    api.wait_for_streams("deployments", 2)


def dropped_connections(api: FakeApiServer) -> None:
    api.state.drop_watches()
    api.wait_for_streams("deployments", 2)


def a_busy_server(api: FakeApiServer) -> None:
    api.fail(Fault("/deployments", status=429, headers={"Retry-After": "0"}, times=3))
    api.state.drop_watches()
    api.wait_for_streams("deployments", 2)


def a_broken_server(api: FakeApiServer) -> None:
    api.fail(Fault("/deployments", status=500, times=2))
    api.fail(Fault("/deployments", hang_up=True, times=2))
    api.state.drop_watches()
    api.wait_for_streams("deployments", 2)


def bookmarks_then_compaction(api: FakeApiServer) -> None:
    api.state.bookmark(api.place("Deployment"))
    compaction(api)


def compaction_while_disconnected(api: FakeApiServer) -> None:
    api.fail(Fault("/deployments", hang_up=True))
    api.state.drop_watches()
    api.state.forget_history()
    api.wait_for_streams("deployments", 2)


def a_connection_that_hangs_and_breaks(api: FakeApiServer) -> None:
    api.fail(Fault("/deployments", delay_seconds=0.3, hang_up=True))
    api.state.drop_watches()
    api.wait_for_streams("deployments", 2)


@pytest.mark.parametrize(
    "weather",
    [
        compaction,
        dropped_connections,
        a_busy_server,
        a_broken_server,
        bookmarks_then_compaction,
        compaction_while_disconnected,
        a_connection_that_hangs_and_breaks,
    ],
)
def test_it_sees_the_end_through_any_weather(
    api: FakeApiServer, ask: Ask, weather: Callable[[FakeApiServer], None]
) -> None:
    api.add(going(), shapes.pod())
    with followed(ask) as result:
        api.wait_for_streams("deployments")
        weather(api)
        api.add(shapes.deployment())
        assert result.result(PATIENCE_SECONDS).code == 0


def test_what_happened_while_nobody_watched_is_not_missed(api: FakeApiServer, ask: Ask) -> None:
    api.add(going(), shapes.pod())
    with followed(ask) as result:
        api.wait_for_streams("deployments")
        api.fail(Fault("/deployments", status=500, times=3))
        api.state.drop_watches()
        api.add(shapes.deployment())
        assert result.result(PATIENCE_SECONDS).code == 0


def test_a_token_that_expires_meanwhile_ends_it(
    api: FakeApiServer, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    api.add(going())
    with followed(ask) as result:
        api.wait_for_streams("deployments")
        api.users.clear()
        api.state.drop_watches()
        assert result.result(PATIENCE_SECONDS).code == 2
    assert "Unauthorized" in capsys.readouterr().err
