"""Every route that answers rows does what the API's description says, whatever is sent to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis

from tests.description.exerciser import Exerciser, described
from tests.front_service import FrontService

# Explanations are the same route for every model, and of some models seconds of work each.
SCHEMA = described(cases=56, only="^/(predict$|predict/|delivery_time$|explain/(iris|housing)$)")
LEAST_CASES = 5_230


@pytest.fixture(scope="module")
def exerciser(service: FrontService) -> Iterator[Exerciser]:
    made = Exerciser(service)
    yield made
    assert made.asked.total() >= LEAST_CASES, made.asked


# Numbers as small as a float can be make numpy warn; answers stay finite.
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@SCHEMA.parametrize()
def test_a_route_holds_to_its_description(case: schemathesis.Case, exerciser: Exerciser) -> None:
    exerciser(case)
