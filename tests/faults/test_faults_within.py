"""Every fault of a service's own machine and processes, in its short form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.registry import WITHIN
from tests.faults.running import Stands
from tests.faults.scenario import Scenario
from tests.faults.short_form import broken


@pytest.fixture(scope="module")
def stands() -> Iterator[Stands]:
    with Stands() as made:
        yield made


@pytest.mark.parametrize("scenario", WITHIN, ids=lambda scenario: scenario.name)
def test_what_breaks_costs_no_answer_and_no_record(stands: Stands, scenario: Scenario) -> None:
    assert broken(stands, scenario) == []
