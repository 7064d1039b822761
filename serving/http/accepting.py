"""Which types of answer a request's `Accept` takes (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from functools import lru_cache


def takes(accept: bytes, media_type: bytes) -> bool:
    """Whether an answer of this type will do."""
    return accept == b"*/*" or _takes(accept, media_type)


@lru_cache(maxsize=64)
def _takes(accept: bytes, media_type: bytes) -> bool:
    """The range that names it most exactly decides; a quality of zero refuses."""
    refused: dict[bytes, bool] = {}
    for item in accept.lower().split(b","):
        name, *parameters = (part.strip() for part in item.split(b";"))
        refused[name] = any(_is_zero(each) for each in parameters)
    anything_of_its_kind = media_type.partition(b"/")[0] + b"/*"
    for name in (media_type, anything_of_its_kind, b"*/*"):
        if name in refused:
            return not refused[name]
    return False


def _is_zero(parameter: bytes) -> bool:
    name, _, value = parameter.partition(b"=")
    return name.strip() == b"q" and value.strip().rstrip(b"0") in (b"", b"0.")
