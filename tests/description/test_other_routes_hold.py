"""Every route that answers no rows does what the API's description says, whatever is sent to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis

from tests.description.exerciser import Exerciser, described
from tests.front_service import FrontService

# The typed APIs are BentoML's to answer: see tests/e2e/test_typed_apis_hold.py.
SCHEMA = described(cases=56, only="^/(?!predict$|predict/|predict_|delivery_time$|explain/)")
LEAST_CASES = 4_800


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
