"""What a worker and its explainer say to each other: a frame is four bytes of length and a MessagePack message."""

from __future__ import annotations

import msgspec

from modelkit.explanation import Explanation

LENGTH_BYTES = 4
READY = b"\x00\x00\x00\x00"  # an empty frame: the explainer's imports are done


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One row to explain, with the version that answers it. `row` is canonical JSON; `seconds` is what is left for it."""

    model: str
    folder: str
    digest: str
    row: bytes
    by: str
    evaluations: int
    seconds: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An explanation, or the code of the problem and, for our log, what was behind it."""

    explanation: Explanation | None = None
    code: str = ""
    reason: str = ""


encode = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(Job).decode
decode_result = msgspec.msgpack.Decoder(Result).decode


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(LENGTH_BYTES, "big") + message
