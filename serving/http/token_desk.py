"""What the routes of identity share: calls in the slow lane, counted, after which what was revoked holds at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from auth.audit import Origin
from auth.login import Prover
from auth.revocations import Revocations
from auth.sessions import Sessions, Tokens
from modelkit.errors import InvalidGrant, SlipwayError
from serving.http.exchange import NO_STORE, Exchange, Reply
from serving.http.slow_lane import SlowLane
from serving.metrics import Metrics

T = TypeVar("T")

# Who sends one is unknown yet, and the largest that means anything has a token of 8 KiB in it.
LARGEST_BODY = 16 * 1024
HASHING_GRANTS = frozenset({"login", "password"})
_RESULTS = {429: "locked", 503: "unavailable"}


def _result(error: SlipwayError) -> str:
    if isinstance(error, InvalidGrant) and error.reused:
        return "reused"
    return _RESULTS.get(error.status, "refused")


@dataclass(frozen=True, kw_only=True)
class TokenDesk:
    """`prove` says who somebody is, `sessions` what he gets. Passwords are hashed in a lane of their own: a crowd that
    guesses them turns away nobody who has a token or a secret.
    """

    prove: Prover
    sessions: Sessions
    revocations: Revocations
    lane: SlowLane
    hashing: SlowLane
    metrics: Metrics
    origin_of: Callable[[Exchange], Origin]

    async def answer_tokens(self, grant: str, call: Callable[[], Tokens]) -> Reply:
        """`grant` is one of a fixed few: it labels metrics."""
        try:
            tokens = await self.run(call, self.hashing if grant in HASHING_GRANTS else self.lane)
        except SlipwayError as error:
            self._count(grant, _result(error))
            raise
        self._count(grant, "ok")
        return Reply(200, msgspec.json.encode(tokens), headers=NO_STORE)

    async def run(self, call: Callable[[], T], lane: SlowLane | None = None) -> T:
        """A reused refresh token revokes while it is refused: also then it holds here from the answer on."""
        try:
            return await (lane or self.lane).run(call)
        finally:
            self.revocations.settle()

    def _count(self, grant: str, result: str) -> None:
        self.metrics.identity.login(grant, result)
        self.metrics.authenticated("login", result)
