"""The wall clock of a pod jumps, in all its processes at once; SQL, Redis and its callers have another."""

from __future__ import annotations

from tests.e2e.waiting import until
from tests.faults.bars import Limits
from tests.faults.dependency import Fault, endure
from tests.faults.disk import AVAILABLE
from tests.faults.mischief import Mischief
from tests.faults.scenario import Finding, Pace, Scenario
from tests.faults.stand import Stand

HOUR = 3600


def _lasting(stand: Stand) -> str:
    """A token that counts on either side of the jump; others end, as they should."""
    return stand.service.token(ttl_seconds=5 * HOUR, age_seconds=2 * HOUR)


def _jump(stand: Stand, seconds: int) -> None:
    """That it did: a token that we issue now has ended there, or has not begun."""
    Mischief(stand.service.folder).clock_jumps(seconds)

    def refuses() -> bool:
        with stand.service.client(stand.service.token(ttl_seconds=HOUR // 2)) as caller:
            return caller.get("/models").status_code == 401

    until(refuses, seconds=5, what="the clock has jumped")


def _scenario(name: str, done: str, seconds: int) -> Scenario:
    fault = Fault(
        breaks=lambda stand: _jump(stand, seconds),
        mends=lambda stand: Mischief(stand.service.folder).ends(),
        limits=Limits(first_second=1.5, during=1.5),
        token=_lasting,
    )

    def run(stand: Stand, pace: Pace) -> Finding:
        return endure(name, stand, pace, fault)

    return Scenario(
        name=name,
        dependency="Clock",
        done=done,
        behaviour="predictions go on, each with an id of its own; tokens end by the wall clock",
        runbook="SlipwayRevocationsStale.md",
        run=run,
        settings=AVAILABLE,
    )


SCENARIOS = (
    _scenario("clock-forward", "it is set an hour forward, and back again", HOUR),
    _scenario("clock-back", "it is set an hour back, and forward again", -HOUR),
)
