"""The quick way of revocations: a sorted set in Redis that every agent reads a few times a second. SQL is the truth.

Members are revocations, by when they expire. One more member says that all of SQL's have been copied: it is gone, like
everything else, when Redis has lost its memory, and then an empty set says nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from auth.revocations import LONGEST_LIFE_SECONDS, Revocation
from serving.adapters.guarded_redis import RedisDown

KEY = "slipway:revocations"
COMPLETE = b"complete"
READ_AT_MOST = 200_000
# Nobody's request waits for this, only a logout or a turn of the agent.
LEAST_TIMEOUT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Told:
    entries: list[Revocation]
    complete: bool


class RedisRevocations:
    """Synchronous, for threads; methods raise RedisDown. `mounted` is the file that the URL came from, if any."""

    def __init__(self, url: str, *, timeout_seconds: float, mounted: Path | None = None) -> None:
        self._url, self._mounted = url, mounted
        self._timeout = max(timeout_seconds, LEAST_TIMEOUT_SECONDS)
        self._opening = threading.Lock()
        self._opened: Any = None

    def push(self, entries: Iterable[Revocation]) -> None:
        scores = {_encode(each): each.expires_at for each in entries}
        if scores:
            self._ask("zadd", KEY, scores)

    def mark_complete(self) -> None:
        self._ask("zadd", KEY, {COMPLETE: float("inf")})

    def read(self, now: float) -> Told:
        members: list[bytes] = self._ask("zrange", KEY, now, "inf", byscore=True, offset=0, num=READ_AT_MOST)
        decoded = (_decode(member) for member in members)
        latest = (
            now + 2 * LONGEST_LIFE_SECONDS
        )  # nobody here writes more, and for ever is too long to remember
        entries = [entry for entry in decoded if entry is not None and entry.expires_at < latest]
        return Told(entries, COMPLETE in members)

    def prune(self, now: float) -> None:
        self._ask("zremrangebyscore", KEY, "-inf", now)

    def close(self) -> None:
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _ask(self, command: str, *arguments: Any, **options: Any) -> Any:
        from redis.exceptions import RedisError

        try:
            return getattr(self._client(), command)(*arguments, **options)
        except (RedisError, OSError) as error:
            raise RedisDown(bypassed=False) from error

    def _client(self) -> Any:
        with self._opening:
            if self._opened is None:
                self._opened = self._connected()
            return self._opened

    def _connected(self) -> Any:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        options: dict[str, Any] = {
            "socket_timeout": self._timeout,
            "socket_connect_timeout": self._timeout,
            "retry": Retry(NoBackoff(), 0),
        }
        client = Redis.from_url(self._url, **options)
        if self._mounted is not None:
            from serving.adapters.redis_credentials import follow_credentials

            follow_credentials(client.connection_pool, self._url, self._mounted)
        return client


def _encode(entry: Revocation) -> bytes:
    return msgspec.json.encode(entry)


def _decode(member: bytes) -> Revocation | None:
    """None for what is no revocation."""
    try:
        return msgspec.json.decode(member, type=Revocation)
    except ValueError:
        return None
