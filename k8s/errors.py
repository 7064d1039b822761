"""What a verb cannot do, each in a line for the person at the terminal.

ClusterError            2 the question could not be asked
├── Unreachable         nobody answers at the address, or not in time
├── Refused             the API server answered with an error
│   ├── Unauthorized    401: it does not know who asks
│   ├── Forbidden       403: it knows, and does not allow it
│   ├── Missing         404: there is no such object
│   ├── Clash           409 and 422: the object is there already, or is another by now
│   └── Expired         410: what was asked for is too old
└── Misused             what was given to the command makes no sense
"""

from __future__ import annotations


class ClusterError(Exception):
    """Base of all; its text is what is printed, `exit_code` what the program ends with."""

    exit_code = 2


class Unreachable(ClusterError):
    """No connection, a broken one, or no answer in time."""


class Refused(ClusterError):
    """`status` is the HTTP status; `retry_after_seconds` what the server asked for, if it did."""

    def __init__(self, text: str, *, status: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.status, self.retry_after_seconds = status, retry_after_seconds


class Unauthorized(Refused):
    pass


class Forbidden(Refused):
    pass


class Missing(Refused):
    pass


class Clash(Refused):
    pass


class Expired(Refused):
    pass


class Misused(ClusterError):
    pass


KINDS: dict[int, type[Refused]] = {
    401: Unauthorized,
    403: Forbidden,
    404: Missing,
    409: Clash,
    422: Clash,
    410: Expired,
}


def refusal(status: int, text: str, *, retry_after_seconds: float | None = None) -> Refused:
    """The error of this status."""
    return KINDS.get(status, Refused)(text, status=status, retry_after_seconds=retry_after_seconds)
