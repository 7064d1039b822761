"""Why we end a connection: one list, for metrics and for the patience that each has."""

from __future__ import annotations

from enum import StrEnum


class End(StrEnum):
    """`SILENT` has begun no request, `SLOW_HEAD` one whose head does not end; `BODY_AFTER_ANSWER` goes on sending what nobody
    wants any more, `UNREAD_ANSWER` does not take what it asked for; `LINGERS` was told to go and does not.
    """

    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    SILENT = "silent"
    SLOW_HEAD = "slow-head"
    BODY_AFTER_ANSWER = "body-after-answer"
    UNREAD_ANSWER = "unread-answer"
    LINGERS = "lingers"
    PIPELINED = "pipelined"
    MADE_ROOM = "made-room"
    NO_ROOM = "no-room"
