"""The connections of one worker: how many there may be, who makes room for others, and who has been slow for too long.

uvicorn limits none of it: no time for a head, for a body that nobody reads, for an answer that nobody takes. A look around
twice a second costs requests nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from dataclasses import dataclass
from typing import Protocol

from serving.connections.ends import End
from serving.identifiers import Identifiers
from serving.metrics import Metrics
from serving.tracing.context import TraceParents

STATE = "slipway.connections"
LOOK_SECONDS = 0.5
# Room is made for several at once: looking for those who go costs a look at all.
AT_ONCE = 32
# Beyond the limit, to be told that there is no room. Whoever comes after them is not even told.
TOLD = 64


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`seconds` is the patience with everything that a client has to do."""

    most: int
    header_bytes: int
    seconds: float


class Guest(Protocol):
    """A connection, as the house sees it."""

    @property
    def idle_rank(self) -> tuple[bool, float] | None:
        """Who goes first where room is needed, the lowest; None for those who wait for an answer."""

    def look(self, now: float) -> None:
        """Ends the connection if it has been slow for too long."""

    def leave(self, end: End) -> None: ...

    def refuse_entry(self) -> None: ...


class House:
    """One per worker; connections say when they come and go."""

    def __init__(self, limits: ConnectionLimits, metrics: Metrics) -> None:
        self.limits, self._metrics = limits, metrics
        self.new_id, self.new_trace = Identifiers(), TraceParents()
        self._guests: set[Guest] = set()

    def enter(self, guest: Guest) -> None:
        guests = self._guests
        guests.add(guest)
        self._metrics.connections.open = len(guests)
        if len(guests) <= self.limits.most:
            return
        if len(guests) > self.limits.most + TOLD:
            return guest.leave(End.NO_ROOM)
        if not self._make_room(guest):
            guest.refuse_entry()

    def left(self, guest: Guest) -> None:
        self._guests.discard(guest)
        self._metrics.connections.open = len(self._guests)

    def ended(self, end: End) -> None:
        self._metrics.connections.ended(end)

    def answered(self, status: int, since: float) -> None:
        """An answer that no route gave."""
        self._metrics.request_finished("unknown", "OTHER", status, time.perf_counter() - since)

    def look(self, now: float) -> None:
        for guest in list(self._guests):
            guest.look(now)

    async def run(self) -> None:
        """Runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look(loop.time())

    def _make_room(self, newcomer: Guest) -> bool:
        idle = [
            (rank, guest)
            for guest in self._guests
            if guest is not newcomer and (rank := guest.idle_rank) is not None
        ]
        going = heapq.nsmallest(min(AT_ONCE, 1 + len(idle) // 8), idle, key=lambda each: each[0])
        for _, guest in going:
            guest.leave(End.MADE_ROOM)
        return bool(going)
