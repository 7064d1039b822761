"""Rows of a request after their entities were looked up: what goes on, and what is refused by place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from modelkit.errors import EntityNotFound, FieldError
from serving.http.request_rows import RequestRows


def known_rows(request: RequestRows, found: Sequence[msgspec.Struct | None], key: str) -> RequestRows:
    """The request with whole rows. Raises EntityNotFound where an entity is unknown, unless such rows are skipped."""
    if None not in found:
        return request.with_rows(found, request.places, [])
    unknown = [
        _unknown(request, place, key) for place, row in zip(request.places, found, strict=True) if row is None
    ]
    known = [(row, place) for row, place in zip(found, request.places, strict=True) if row is not None]
    if not known or not request.skips:
        raise EntityNotFound(errors=[*request.errors, *unknown])
    return request.with_rows([row for row, _ in known], [place for _, place in known], unknown)


def _unknown(request: RequestRows, place: int, key: str) -> FieldError:
    detail = "Nothing is known about this entity"
    if not request.is_batch:
        return FieldError(pointer=f"/{key}", detail=detail)
    return FieldError(pointer=f"/instances/{place}/{key}", detail=detail, row=place)
