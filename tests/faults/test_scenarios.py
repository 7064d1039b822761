"""Every fault scenario in its short form: the same faults and the same counting, for a second or two each.

Times are not held against their bars here; `make faults` does that, on a quiet machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.registry import SCENARIOS
from tests.faults.running import Stands
from tests.faults.scenario import SHORT, Scenario


@pytest.fixture(scope="module")
def stands() -> Iterator[Stands]:
    with Stands() as made:
        yield made


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_breaks_costs_no_answer_and_no_record(stands: Stands, scenario: Scenario) -> None:
    finding = stands.run(scenario, SHORT)
    assert finding.requests > 0
    assert finding.broken(judged=False) == [], finding.metrics
