"""What a session may do: never more than it was granted, and never more than its user may now."""

from __future__ import annotations

from auth.scopes import PREDICT, parse_scopes
from modelkit.errors import InvalidScope

_ONE_MODEL = f"{PREDICT}:"


def narrowed(granted: frozenset[str], asked: str | None) -> frozenset[str]:
    """`asked`, as far as it may be asked for: everything if nothing is. Raises InvalidScope."""
    if not asked or not asked.strip(" "):
        return granted
    try:
        wanted = parse_scopes(asked)
    except ValueError:
        raise InvalidScope from None
    if not all(_covers(granted, scope) for scope in wanted):
        raise InvalidScope
    return wanted


def common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What both allow; `predict` allows each `predict:<model>`."""
    return frozenset(
        {scope for scope in one if _covers(other, scope)} | {scope for scope in other if _covers(one, scope)}
    )


def _covers(granted: frozenset[str], scope: str) -> bool:
    return scope in granted or (PREDICT in granted and scope.startswith(_ONE_MODEL))
