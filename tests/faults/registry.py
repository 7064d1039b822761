"""All scenarios, in the order in which they run: those that share a stand stand together."""

from __future__ import annotations

from tests.faults import bad_versions, flips, kills, redis, shutdown, sql
from tests.faults.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *redis.SCENARIOS,
    *sql.SCENARIOS,
    *kills.SCENARIOS,
    *shutdown.SCENARIOS,
    *flips.SCENARIOS,
    *bad_versions.SCENARIOS,
)
