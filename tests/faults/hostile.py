"""Hostile clients beside everybody else: slow ones by the hundred, huge, nested and compressed bodies. Others do not notice."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from tests.architecture.source_tree import ROOT
from tests.faults.bars import Limits
from tests.faults.dependency import Fault, endure
from tests.faults.scenario import Finding, Pace, Scenario
from tests.faults.siege import BESIEGERS, Orders
from tests.faults.stand import Stand
from tests.faults.watching import Sign


class _Siege:
    """From `begin` to `end`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, stand: Stand) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.siege"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        orders = Orders(port=stand.service.api_port, token=stand.service.token(), kind=self._kind)
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(orders))
        self._process.stdin.close()
        assert self._process.stdout is not None
        with self._process.stdout as said:
            said.readline()

    def end(self, _: Stand) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)


SLOW_HEADS = Sign(metric="slipway_http_connections_ended_total", labels={"reason": "slow-head"})


def _answered(status: str) -> Sign:
    return Sign(metric="slipway_http_requests_total", labels={"code": status})


def _scenario(name: str, done: str, sign: Sign, runbook: str) -> Scenario:
    siege = _Siege(name.replace("-", " "))
    fault = Fault(
        breaks=siege.begin,
        mends=siege.end,
        limits=Limits(first_second=1.5, during=1.5),
        signs=(sign,),
        tells_late=True,  # a slow one is given up after REQUEST_TIMEOUT_SECONDS
    )

    def run(stand: Stand, pace: Pace) -> Finding:
        return endure(name, stand, pace, fault)

    return Scenario(
        name=name,
        dependency="Clients",
        done=done,
        behaviour="each is refused or given up soon, and nobody else waits for it",
        runbook=runbook,
        run=run,
    )


SCENARIOS = (
    _scenario(
        "slow-heads",
        f"{BESIEGERS} clients send a head that never ends",
        SLOW_HEADS,
        "SlipwayShedding.md",
    ),
    _scenario(
        "slow-bodies",
        f"{BESIEGERS} unknown clients send a body that never ends",
        _answered("408"),
        "SlipwayShedding.md",
    ),
    _scenario(
        "huge-bodies",
        "bodies of 20 megabytes, nested 100,000 deep, and 64 megabytes compressed, one after the other",
        _answered("413"),
        "SlipwaySlow.md",
    ),
)
