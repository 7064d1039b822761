"""Explanations of models that need seconds for one hold to the description, too: fewer cases of the same route."""

from __future__ import annotations

import pytest
import schemathesis

from tests.description.exerciser import Exerciser, described
from tests.front_service import FrontService

SCHEMA = described(
    cases=2, only="^/explain/(basket|food-delivery|olist-delivery|order-delivery)$", covering=False
)


@pytest.fixture(scope="module")
def exerciser(service: FrontService) -> Exerciser:
    return Exerciser(service)


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@SCHEMA.parametrize()
def test_a_route_holds_to_its_description(case: schemathesis.Case, exerciser: Exerciser) -> None:
    exerciser(case)
