"""What a worker and the store of the shared buckets say to each other, as a port: Redis implements it, and so do tests.

The store keeps, for every bucket, what is left in it and how much of it the workers hold as leases; both together
never exceed the burst. A lease is spent without asking; what was spent, or is not needed any more, is told later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class QuotaDown(Exception):
    """The store did not answer, or was not asked because it did not answer before."""


class Ask(NamedTuple):
    """What one worker tells about one bucket, and asks for.

    `held` is the lease that the store knows of and `keep` the part of it that is not spent and stays. `back` is what
    the bucket gains: leased tokens returned, less what was spent without a lease. `epoch` is that of the last answer.
    For `away` seconds the worker filled its `share` of the bucket by itself, because the store was not there.
    """

    key: bytes
    per_second: float
    burst: float
    share: float
    held: float
    keep: float
    back: float
    want: float
    away: float
    epoch: bytes


class Grant(NamedTuple):
    """Tokens leased besides what was kept, and what is left for others; negative while there is debt."""

    tokens: float
    left: float


class Turn(NamedTuple):
    """The answer to all asks of a turn, in their order. `workers` is how many share the buckets now."""

    grants: Sequence[Grant]
    workers: int
    epoch: bytes


class QuotaStore(Protocol):
    """`turn` with nothing to ask still says that this worker is there. Both raise QuotaDown."""

    async def turn(self, asks: Sequence[Ask]) -> Turn: ...

    async def leave(self) -> None:
        """Says that this worker is gone, and closes. Never raises."""
