"""The error tree stays complete: each class has its own code, a title, a fitting status, and a place in the drawing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from modelkit import errors
from modelkit.errors import SlipwayError


def descendants(kind: type[SlipwayError]) -> Iterator[type[SlipwayError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


# Importing serving or auth may add to the tree; nobody may: it is one file on purpose.
ERRORS = [kind for kind in descendants(SlipwayError) if not kind.__module__.startswith("tests.")]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_has_a_status_a_code_and_a_title(kind: type[SlipwayError]) -> None:
    assert 400 <= kind.status <= 504
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert kind.title
    assert not kind.title.endswith(".")
    assert kind.__module__ == errors.__name__


def test_no_two_errors_share_a_code() -> None:
    codes = [SlipwayError.code, *(kind.code for kind in ERRORS)]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_the_drawing_shows_the_error_with_its_status_and_code(kind: type[SlipwayError]) -> None:
    assert re.search(rf"\b{kind.__name__}\s+{kind.status} {kind.code}\b", errors.__doc__ or "")


@pytest.mark.parametrize(
    "kind", [kind for kind in ERRORS if kind.status in (429, 503)], ids=lambda k: k.__name__
)
def test_an_error_that_passes_says_when_to_come_back(kind: type[SlipwayError]) -> None:
    assert kind.retry_after_seconds
