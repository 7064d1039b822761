"""Places of explanations: all of a request's or none, and something is left for the next caller."""

from __future__ import annotations

import pytest

from modelkit.errors import Overloaded
from serving.explain.places import Places


def test_a_request_gets_all_of_its_places_or_none() -> None:
    places = Places(16)
    places.take("ada", 8)
    places.take("bob", 6)
    with pytest.raises(Overloaded):
        places.take("eve", 3)
    assert len(places.take("eve", 2)) == 2


def test_what_is_allowed_always_finds_room_where_nothing_is_under_way() -> None:
    assert len(Places(4).take("ada", 8)) == 8


def test_one_caller_leaves_half_to_others() -> None:
    places = Places(16)
    places.take("ada", 8)
    with pytest.raises(Overloaded, match="your"):
        places.take("ada", 1)
    assert len(places.take("bob", 8)) == 8


def test_a_place_that_is_left_is_free_once() -> None:
    places = Places(4)
    first, *_ = places.take("ada", 2)
    places.take("bob", 2)
    first.leave()
    first.leave()
    places.take("eve", 1)
    with pytest.raises(Overloaded):
        places.take("eve", 1)
