"""Keys in mounted files, which change without a restart: read again within a second, and a bad new file changes nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from auth.audit import Audit, no_audit
from auth.jwk_document import PublicJwk
from auth.key_rotation import KeyRing, Periods
from auth.keys import Key, KeyList

RECHECK_SECONDS = 1.0
MAX_BYTES = 256 * 1024

Parse = Callable[..., KeyList]


class KeySource(Protocol):
    """Port: one place that lists keys. `stamp` is another value when they may be others."""

    @property
    def setting(self) -> str: ...

    def stamp(self) -> object: ...

    def changed_at(self) -> float: ...

    def read(self) -> KeyList:
        """Raises ValueError that names the setting and nothing of what was read."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that is empty or not there lists no keys, so that one Secret may hold either kind or both."""

    path: Path
    setting: str
    parse: Parse

    def stamp(self) -> object:
        """Follows links: Kubernetes swaps one when a Secret changes."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            return error.errno
        return found.st_mtime_ns, found.st_size, found.st_ino

    def changed_at(self) -> float:
        try:
            return os.stat(self.path).st_mtime
        except OSError:
            return 0.0

    def read(self) -> KeyList:
        try:
            with self.path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            text = content.decode()
        except FileNotFoundError:
            return KeyList()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"{self.setting} cannot be read") from None
        if len(content) > MAX_BYTES:
            raise ValueError(f"{self.setting} is too large to hold keys")
        return self.parse(text, setting=self.setting)


@dataclass(frozen=True, slots=True)
class FixedSource:
    """Keys from the environment, beside files that may change."""

    setting: str
    listed: KeyList = field(repr=False)

    def stamp(self) -> object:
        return None

    def changed_at(self) -> float:
        return 0.0

    def read(self) -> KeyList:
        return self.listed


class RotatingKeys:
    """The keys of several sources, in their order, through their rotations. `clock` is seconds since the epoch.

    Events: `keys.changed` with the names of keys, `keys.refused` once for each bad change.
    """

    def __init__(
        self,
        sources: Sequence[KeySource],
        periods: Periods,
        *,
        clock: Callable[[], float] = time.time,
        audit: Audit = no_audit,
    ) -> None:
        self._sources, self._clock, self._audit = tuple(sources), clock, audit
        self._changing = threading.Lock()
        self._checked_at = now = clock()
        self._stamps: list[object] = self._ask_stamps()
        self._refused: list[object] | None = None
        self._generation = 0
        given = self._read()
        try:
            ring = KeyRing.started(given, periods, first_seen=self._first_seen(now), now=now)
        except ValueError as error:
            raise ValueError(f"{self._named}: {error}") from None
        self._adopt(ring)

    def signing_key(self) -> Key:
        return self._current().signing

    def verification_key(self, kid: str) -> Key | None:
        self._current()
        return self._by_kid.get(kid)

    def published(self) -> tuple[PublicJwk, ...]:
        return tuple(held.key.jwk for held in self._current().held() if held.key.jwk is not None)

    def generation(self) -> int:
        self._current()
        return self._generation

    def _current(self) -> KeyRing:
        now = self._clock()
        # A window, not an upper end: a clock set back must not keep the files unread. Whoever comes second takes what there is.
        if not self._checked_at <= now < self._checked_at + RECHECK_SECONDS and self._changing.acquire(
            blocking=False
        ):
            try:
                self._checked_at = now
                self._step(now)
            finally:
                self._changing.release()
        return self._ring

    def _step(self, now: float) -> None:
        before, after = self._ring, self._ring.at(now)
        stamps = self._ask_stamps()
        if stamps != self._stamps:
            try:
                after = after.replaced(self._read(), now)
                self._stamps, self._refused = stamps, None
            except ValueError as error:
                self._refuse(stamps, str(error))
        if after != before:
            self._adopt(after)
            self._tell(before, after)

    def _adopt(self, ring: KeyRing) -> None:
        self._ring, self._by_kid = ring, {held.key.kid: held.key for held in ring.held()}

    def _tell(self, before: KeyRing, after: KeyRing) -> None:
        old, new = _names(before), _names(after)
        if dropped := sorted(old["verify"] - new["verify"]):
            self._generation += 1
        if old == new and before.signing == after.signing:
            return  # nothing but the order, or a time
        self._audit(
            "keys.changed",
            signs=after.signing.kid,
            verify=sorted(new["verify"]),
            added=sorted(new["verify"] - old["verify"]),
            removed=sorted((old["listed"] - new["listed"]) & new["verify"]),
            dropped=dropped,
        )

    def _refuse(self, stamps: list[object], reason: str) -> None:
        """Once: the file is tried again every second."""
        if stamps != self._refused:
            self._refused = stamps
            self._audit("keys.refused", settings=self._named, reason=reason)

    @property
    def _named(self) -> str:
        return " and ".join(source.setting for source in self._sources)

    def _ask_stamps(self) -> list[object]:
        return [source.stamp() for source in self._sources]

    def _read(self) -> KeyList:
        lists = [source.read() for source in self._sources]
        return KeyList(
            keys=tuple(key for listed in lists for key in listed.keys),
            revoked=frozenset[str]().union(*(listed.revoked for listed in lists)),
        )

    def _first_seen(self, now: float) -> float:
        """When the first key can have appeared: the change of the file that lists it, and never in the future."""
        return min(now, next((source.changed_at() for source in self._sources if source.read().keys), now))


def _names(ring: KeyRing) -> dict[str, set[Any]]:
    return {
        "listed": {held.key.kid for held in ring.listed},
        "verify": {held.key.kid for held in ring.held()},
    }
