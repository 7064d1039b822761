"""All scenarios, in the order in which they run: those that share a stand stand together."""

from __future__ import annotations

from tests.faults import bad_versions, clock, disk, flips, handover, hostile, kills, redis, shutdown, sql
from tests.faults.scenario import Scenario

AROUND: tuple[Scenario, ...] = (  # what fails is something that the service depends on, or that asks it
    *redis.SCENARIOS,
    *sql.SCENARIOS,
    *hostile.SCENARIOS,
    *flips.SCENARIOS,
    *bad_versions.SCENARIOS,
)
WITHIN: tuple[Scenario, ...] = (  # its own machine and processes
    *clock.SCENARIOS,
    *disk.SCENARIOS,
    *handover.SCENARIOS,
    *kills.SCENARIOS,
    *shutdown.SCENARIOS,
)
SCENARIOS = AROUND + WITHIN
