"""The trail of who was let in, who was refused, and what was changed; where it goes is the program's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from, as far as it can be known. `request_id` is empty outside a request."""

    request_id: str = ""
    address: str = ""


class Audit(Protocol):
    """Port: one structured event. `facts` never hold a password, a token, a key or a hash of one."""

    def __call__(self, event: str, **facts: object) -> None: ...


def no_audit(event: str, **facts: object) -> None:
    """For programs that keep no trail."""
