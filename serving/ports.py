"""What the core of the service needs from outside, as protocols; adapters and tests' fakes implement them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from modelkit.view_rows import FeatureSetMeta, Numbers


class SegmentFiles(Protocol):
    """The file layer under the spool, a seam so that tests can enumerate every crash point. All may raise OSError."""

    def create(self, path: Path) -> int:
        """A descriptor of a new file at `path`, locked for its writer before it appears there."""

    def write(self, descriptor: int, block: bytes) -> None: ...

    def truncate(self, descriptor: int, size: int) -> None: ...

    def sync(self, descriptor: int) -> None:
        """The content survives power loss; the name does not yet."""

    def sync_folder(self, folder: Path) -> None:
        """The names of its files survive power loss."""

    def sync_above(self, folder: Path) -> None:
        """The folder's own name survives power loss, and so do those of the folders that it is in."""

    def close(self, descriptor: int) -> None: ...

    def rename(self, source: Path, target: Path) -> None: ...

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        """Name and size in bytes of each file; empty where the folder does not exist."""


class RemoteCache(Protocol):
    """The cache tier behind the in-process one. It never raises: what it cannot do is a miss or a lost write, counted."""

    async def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]: ...

    async def set_many(self, entries: Mapping[bytes, bytes], *, ttl_seconds: int) -> None: ...

    async def close(self) -> None: ...


class LookedUp(NamedTuple):
    """One key's row of numbers, and how it was found: `hit`, `unknown` (there is none), `stale` (the last that was seen
    of a source that is down) or `unavailable` (down, and never seen)."""

    numbers: Numbers | None
    result: str


class FeatureSource(Protocol):
    """Features of one view's entities, for many keys in one call."""

    kind: str
    reason: str
    """Why the source cannot be asked yet; empty from the moment it can, for good."""

    @property
    def meta(self) -> FeatureSetMeta | None:
        """What the source holds now, as far as is known."""

    def get_many(self, keys: Sequence[str]) -> Sequence[LookedUp] | Awaitable[Sequence[LookedUp]]:
        """One entry per key; awaitable where the source is on a network. Never raises."""

    async def tend(self) -> None:
        """Follows what the source publishes; called a few times a second."""

    async def close(self) -> None: ...
