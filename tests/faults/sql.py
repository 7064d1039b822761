"""PostgreSQL failing in every way there is: nobody waits for it, and what was acknowledged arrives once, however late."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.source_tree import ROOT
from tests.e2e.running_service import free_ports
from tests.faults.bars import Limits
from tests.faults.dependency import Act, Fault, endure
from tests.faults.scenario import Scenario
from tests.faults.stand import Stand
from tests.faults.watching import Sign

LIMITS = Limits(first_second=1.5, during=1.5)
FAILURES = Sign(metric="slipway_agent_ship_failures_total", agent=True)
NOT_SHIPPED = "prediction log not shipped"
WAITS = "records wait in the spool and are shipped, each once, when SQL is back; no request notices"


# It takes the agent a while to be sure, and a connection that proves dead before it is used is replaced without a word.
LATE = {"sql-reset", "sql-blackholed", "sql-paused"}


def _scenario(name: str, done: str, breaks: Act, mends: Act, *, fails: bool = True) -> Scenario:
    fault = Fault(
        tells_late=name in LATE,
        breaks=breaks,
        mends=mends,
        limits=LIMITS,
        signs=(FAILURES,) if fails else (),
        lines=(NOT_SHIPPED,) if fails else (),
    )
    return Scenario(
        name=name,
        dependency="PostgreSQL",
        done=done,
        behaviour=WAITS,
        runbook="SlipwayLogStale.md",
        run=lambda stand, pace: endure(name, stand, pace, fault),
    )


def _passes(stand: Stand) -> None:
    stand.sql.passes()


class _OtherAgent:
    """One more agent on the same spool, as where a worker dies and its agent has not noticed yet."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, stand: Stand) -> None:
        own = {
            "AGENT_METRICS_PORT": str(free_ports(1)[0]),
            "MODEL_STORE_DIR": str(stand.service.folder / "store-of-another"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serving.agent"],
            cwd=ROOT,
            env=stand.service.environment() | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self, _: Stand) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)


_other = _OtherAgent()

SCENARIOS = (
    _scenario("sql-refused", "connections are refused", lambda stand: stand.sql.down(), _passes),
    _scenario("sql-reset", "each connection is reset", lambda stand: stand.sql.reset(), _passes),
    _scenario("sql-blackholed", "nothing is heard of it", lambda stand: stand.sql.blackhole(), _passes),
    _scenario(
        "sql-slow",
        "each answer takes 500 ms longer",
        lambda stand: stand.sql.latency(0.5),
        _passes,
        fails=False,
    ),
    _scenario(
        "sql-paused",
        "the server hangs (SIGSTOP)",
        lambda stand: stand.servers.postgres.pause(),
        lambda stand: stand.servers.postgres.resume(),
    ),
    _scenario(
        "sql-killed",
        "the server is killed (SIGKILL), and started again",
        lambda stand: stand.servers.postgres.kill(),
        lambda stand: stand.servers.postgres.start(),
    ),
    _scenario(
        "sql-no-reply",
        "it commits, and the answer to that is lost",
        lambda stand: stand.sql.drop_replies(after=b"COMMIT"),
        _passes,
    ),
    _scenario(
        "sql-two-agents", "a second agent ships the same spool", _other.start, _other.stop, fails=False
    ),
)
