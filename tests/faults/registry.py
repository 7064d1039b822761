"""All scenarios, in the order in which they run: those that share a stand stand together."""

from __future__ import annotations

from tests.faults import bad_versions, clock, disk, flips, handover, hostile, kills, redis, shutdown, sql
from tests.faults.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *redis.SCENARIOS,
    *sql.SCENARIOS,
    *hostile.SCENARIOS,
    *flips.SCENARIOS,
    *bad_versions.SCENARIOS,
    *clock.SCENARIOS,
    *disk.SCENARIOS,
    *handover.SCENARIOS,
    *kills.SCENARIOS,
    *shutdown.SCENARIOS,
)
