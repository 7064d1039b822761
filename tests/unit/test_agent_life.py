"""Whether the agent lives: told by its chores, at its port, and by a file that every worker can see."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from wsgiref.util import setup_testing_defaults

from prometheus_client import CollectorRegistry, Gauge

from serving.agent.port import AgentPort, agent_app
from serving.agent.pulse import STEP_SECONDS, Pulse
from serving.heartbeat import FRESH_SECONDS, Heartbeat, watch_agent
from tests.e2e.running_service import free_ports
from tests.e2e.waiting import until
from tests.fakes.clock import FakeClock


def test_a_chore_that_comes_back_in_time_lives() -> None:
    clock = FakeClock()
    pulse = Pulse(clock=clock)
    for _ in range(3):
        pulse.beat("ship")
        clock.advance(STEP_SECONDS)
    assert pulse.stuck() == []


def test_a_chore_that_does_not_come_back_is_stuck_until_it_does() -> None:
    clock = FakeClock()
    pulse = Pulse(clock=clock)
    pulse.beat("ship")
    pulse.beat("follow", pause=3600)
    clock.advance(STEP_SECONDS + 1)
    assert pulse.stuck() == ["ship"]
    pulse.beat("ship")
    assert pulse.stuck() == []
    clock.advance(3600)
    assert pulse.stuck() == ["follow", "ship"]


def asked(pulse: Pulse, path: str) -> tuple[str, bytes]:
    registry = CollectorRegistry()
    Gauge("slipway_something", "x", registry=registry).set(7)
    environ: dict[str, object] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    said: list[str] = []
    body = b"".join(agent_app(registry, pulse)(environ, lambda status, _: said.append(status)))
    return said[0], body


def test_liveness_and_metrics_have_one_port() -> None:
    clock = FakeClock()
    pulse = Pulse(clock=clock)
    pulse.beat("follow")
    status, body = asked(pulse, "/livez")
    assert (status, json.loads(body)) == ("200 OK", {"live": True, "stuck": []})
    assert b"slipway_something 7.0" in asked(pulse, "/metrics")[1]
    clock.advance(STEP_SECONDS + 1)
    status, body = asked(pulse, "/livez")
    assert (status[:3], json.loads(body)) == ("503", {"live": False, "stuck": ["follow"]})
    assert asked(pulse, "/metrics")[0] == "200 OK"


def test_a_port_that_is_still_taken_is_had_as_soon_as_it_is_free() -> None:
    host, (port,) = "127.0.0.1", free_ports(1)
    first, second = threading.Event(), threading.Event()
    runs = [
        threading.Thread(target=AgentPort((host, port), CollectorRegistry(), Pulse()).run, args=(stop,))
        for stop in (first, second)
    ]

    def lives() -> bool:
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/livez", timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.URLError:
            return False

    runs[0].start()
    until(lives, seconds=10, what="the first has the port")
    runs[1].start()
    for stop, run in zip((first, second), runs, strict=True):
        until(lives, seconds=10, what="the port answers")
        stop.set()
        run.join(10)
        assert not run.is_alive()


def test_a_heartbeat_is_fresh_while_it_goes_on(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path)
    assert not heartbeat.is_fresh()
    heartbeat.beat()
    assert heartbeat.is_fresh()
    old = time.time() - FRESH_SECONDS - 1
    os.utime(tmp_path / "agent.beat", (old, old))
    assert not heartbeat.is_fresh()
    heartbeat.beat()
    assert heartbeat.is_fresh()
    heartbeat.end()
    heartbeat.end()
    assert not heartbeat.is_fresh()


def test_a_heart_that_cannot_beat_ends_nothing(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path / "none")
    heartbeat.beat()
    assert not heartbeat.is_fresh()


def test_a_worker_shows_whether_the_agent_beside_it_lives(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("slipway_agent_up", "x", registry=registry)
    heartbeat = Heartbeat(tmp_path)

    async def look() -> float | None:
        watching = asyncio.create_task(watch_agent(heartbeat, gauge))
        await asyncio.sleep(0)
        watching.cancel()
        return registry.get_sample_value("slipway_agent_up")

    assert asyncio.run(look()) == 0
    heartbeat.beat()
    assert asyncio.run(look()) == 1
