"""From the body of a feedback request to truths: one object, or `{"feedback": […], "on_error": "fail"|"skip"}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from modelkit.errors import FieldError, InvalidRequest
from records.truth import PLAUSIBLE, Truth
from serving.http.request_rows import BAD_BODY, Limits, refuse_deep

# An identifier of `serving.identifiers`. Nothing else reaches the database.
PREDICTION_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
FIELDS = ("prediction_id", "actual")
NOT_VALID = "At least one item is not valid"


class Truths(msgspec.Struct, frozen=True):
    """`items` are the valid ones by their place in the request, `errors` what is wrong with the others."""

    items: dict[int, Truth]
    errors: list[FieldError]
    skips: bool
    is_batch: bool

    def without(self, refused: dict[int, str]) -> Truths:
        """Some of the items turned out to be wrong. Raises InvalidRequest unless wrong ones are skipped and some are left."""
        more = [self._error(place, "actual", detail) for place, detail in refused.items()]
        errors = sorted([*self.errors, *more], key=lambda error: error.row or 0)
        left = {place: truth for place, truth in self.items.items() if place not in refused}
        if errors and not (self.skips and left):
            raise InvalidRequest(NOT_VALID if self.is_batch else "", errors=errors)
        return Truths(left, errors, self.skips, self.is_batch)

    def _error(self, place: int, field: str, detail: str) -> FieldError:
        return _error(place if self.is_batch else None, field, detail)


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    feedback: list[msgspec.Raw]
    on_error: Literal["fail", "skip"] = "fail"


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode: Callable[[bytes | msgspec.Raw], Any] = msgspec.json.Decoder().decode


def read_truths(body: bytes, limits: Limits) -> Truths:
    """Raises InvalidRequest, with a JSON pointer for everything that is wrong."""
    refuse_deep(body, limits.max_json_depth)
    if not _is_batch(body):
        found = _item(body, None)
        if isinstance(found, Truth):
            return Truths({0: found}, [], False, False)
        raise InvalidRequest(errors=found)
    items: dict[int, Truth] = {}
    errors: list[FieldError] = []
    envelope = _envelope(body, limits)
    for place, raw in enumerate(envelope.feedback):
        found = _item(raw, place)
        if isinstance(found, Truth):
            items[place] = found
        else:
            errors += found
    return Truths(items, errors, envelope.on_error == "skip", True).without({})


def _is_batch(body: bytes) -> bool:
    """A label may be `feedback`, too."""
    try:
        return "feedback" in _decode_members(body)
    except BAD_BODY:
        return False


def _envelope(body: bytes, limits: Limits) -> _Envelope:
    try:
        envelope = _decode_envelope(body)
    except BAD_BODY as error:
        place = str(error).partition(" - at `$.")[2].rstrip("`")
        known = next((name for name in ("feedback", "on_error") if place.startswith(name)), "")
        raise InvalidRequest(
            'The body must be one item, or {"feedback": [...], "on_error": "fail"|"skip"}',
            errors=[FieldError(pointer=f"/{known}" if known else "", detail=_ENVELOPE[known])],
        ) from None
    if not 0 < len(envelope.feedback) <= limits.max_instances:
        raise InvalidRequest(
            f"`feedback` must hold 1 to {limits.max_instances} items",
            errors=[FieldError(pointer="/feedback", detail=f"has {len(envelope.feedback)} items")],
        )
    return envelope


_ENVELOPE = {
    "feedback": "Input should be an array",
    "on_error": "Input should be 'fail' or 'skip'",
    "": "Input should be a JSON object of nothing but `feedback` and `on_error`",
}


def _item(raw: bytes | msgspec.Raw, place: int | None) -> Truth | list[FieldError]:
    try:
        value = _decode(raw)
    except BAD_BODY:
        return [_error(place, "", "Input should be valid JSON")]
    if not isinstance(value, dict):
        return [_error(place, "", "Input should be an object")]
    wrong = {name: "Field required" for name in FIELDS if name not in value}
    wrong |= {name: "Extra inputs are not permitted" for name in value if name not in FIELDS}
    for name, check in (("prediction_id", _wrong_id), ("actual", _wrong_actual)):
        if name in value and (detail := check(value[name])):
            wrong[name] = detail
    if wrong:
        return [_error(place, name, detail) for name, detail in wrong.items()]
    actual = value["actual"]
    return Truth(value["prediction_id"], actual if isinstance(actual, str) else float(actual))


def _wrong_id(value: Any) -> str:
    known = isinstance(value, str) and PREDICTION_ID.fullmatch(value)
    return "" if known else "Input should be the prediction_id of an answer"


def _wrong_actual(value: Any) -> str:
    if isinstance(value, str):
        return "" if LABEL.fullmatch(value) else "Input should be a label of 1 to 200 printable characters"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "Input should be a number or a label"
    plausible = -PLAUSIBLE <= value <= PLAUSIBLE
    return "" if plausible else f"Input should be a number between {-PLAUSIBLE:g} and {PLAUSIBLE:g}"


def _error(place: int | None, field: str, detail: str) -> FieldError:
    start = "" if place is None else f"/feedback/{place}"
    name = field[:100].replace("~", "~0").replace("/", "~1")
    return FieldError(pointer=f"{start}/{name}" if field else start, detail=detail, row=place)
