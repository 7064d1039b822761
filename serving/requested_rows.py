"""Rows that a request asks about, whatever protocol it came in: what goes on, and what is refused by place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from modelkit.errors import EntityNotFound, FieldError, PredictionFailed
from serving.asking import Answer

# Where in the request a field of a row is: the row's place and the field's name in, a JSON pointer out. Without a name:
# where the row is.
Pointing = Callable[[int, str], str]


def in_the_only_row(place: int, field: str) -> str:
    return f"/{field}" if field else ""


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
        raise EntityNotFound(errors=in_order([*request.errors, *unknown]))
    return _without(request, unknown, rows=known, places=places)


def answered_rows(
    request: RequestRows, found: Sequence[Answer | PredictionFailed]
) -> tuple[RequestRows, list[Answer]]:
    """The rows that have an answer, with their answers; those that have none are among the errors.

    Raises PredictionFailed where such rows are not skipped, or where there are no others.
    """
    answers = [each for each in found if isinstance(each, Answer)]
    if len(answers) == len(request.rows):
        return request, answers
    failed = [
        failed_row(request, place, each)
        for place, each in zip(
            request.places, found, strict=False
        )  # what is not skipped may end what is asked
        if isinstance(each, PredictionFailed)
    ]
    if not (answers and request.skips):
        raise PredictionFailed(errors=in_order([*request.errors, *failed]))
    kept = [place for place, each in enumerate(found) if isinstance(each, Answer)]
    rows, places = [request.rows[place] for place in kept], [request.places[place] for place in kept]
    return _without(request, failed, rows=rows, places=places), answers


def failed_row(request: RequestRows, place: int, error: PredictionFailed) -> FieldError:
    row = place if request.is_batch else None
    return FieldError(pointer=request.pointing(place, ""), detail=error.detail, row=row)


def in_order(errors: Sequence[FieldError]) -> list[FieldError]:
    return sorted(errors, key=lambda error: error.row or 0)


def _without(
    request: RequestRows, errors: list[FieldError], *, rows: list[msgspec.Struct], places: list[int]
) -> RequestRows:
    every = in_order([*request.errors, *errors]) if errors else request.errors
    return msgspec.structs.replace(request, rows=rows, places=places, errors=every)


def _unknown(request: RequestRows, place: int, key: str) -> FieldError:
    row = place if request.is_batch else None
    detail = "Nothing is known about this entity"
    return FieldError(pointer=request.pointing(place, key), detail=detail, row=row)
