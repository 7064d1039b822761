"""Rows that a request asks about, whatever protocol it came in: what goes on, and what is refused by place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from modelkit.errors import EntityNotFound, FieldError

# Where in the request a field of a row is: the row's place and the field's name in, a JSON pointer out.
Pointing = Callable[[int, str], str]


def in_the_only_row(place: int, field: str) -> str:
    return f"/{field}"


class RequestRows(msgspec.Struct, frozen=True, gc=False):
    """`rows` are the valid ones, `places` their positions in the request, `errors` what was wrong with the others.

    `skips`: a row that is wrong costs the others nothing. `pointing` is the protocol's way to name a place.
    """

    rows: list[msgspec.Struct]
    places: list[int]
    size: int
    is_batch: bool
    errors: list[FieldError]
    skips: bool = False
    pointing: Pointing = in_the_only_row


def known_rows(request: RequestRows, found: Sequence[msgspec.Struct | None], key: str) -> RequestRows:
    """The request with whole rows. Raises EntityNotFound where an entity is unknown, unless such rows are skipped."""
    known, places, unknown = [], [], []
    for place, row in zip(request.places, found, strict=True):
        if row is None:
            unknown.append(_unknown(request, place, key))
        else:
            known.append(row)
            places.append(place)
    if unknown and not (known and request.skips):
        raise EntityNotFound(errors=[*request.errors, *unknown])
    errors = sorted([*request.errors, *unknown], key=lambda error: error.row or 0)
    return msgspec.structs.replace(request, rows=known, places=places, errors=errors)


def _unknown(request: RequestRows, place: int, key: str) -> FieldError:
    row = place if request.is_batch else None
    detail = "Nothing is known about this entity"
    return FieldError(pointer=request.pointing(place, key), detail=detail, row=row)
