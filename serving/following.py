"""Following: the worker's side of an alias move. Watches the store's pointers, loads beside, swaps, keeps the old one warm."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from modelkit.definition import ModelDefinition
from modelkit.errors import ContractMismatch, ServableError
from modelkit.servable import servable_digest
from serving.garbage import give_back, settle
from serving.loaded_model import LoadedModel, version_of_digest
from serving.metrics import Metrics
from serving.model_board import ModelBoard
from serving.model_path import ModelPath
from serving.model_store import ModelStore, Pointer
from serving.trust import Trust

WATCH_SECONDS = 0.25
FALLBACK_AFTER_SECONDS = 10.0
LONGEST_RETRY_SECONDS = 60.0


class Retry(NamedTuple):
    """When a load is tried again (`time.monotonic`), and how long was waited for it."""

    at: float
    pause: float


NO_RETRY = Retry(at=math.inf, pause=1.0)


class Sources(NamedTuple):
    """The baked copy of `MODEL_PATH` serves while the store has nothing. `pins` are the versions that are wanted by name;
    what else the store has to offer is served and shown as skew."""

    store: ModelStore | None
    baked: ModelPath | None
    pins: Mapping[str, str]


class Follower:
    """Keeps a board in step with a store."""

    def __init__(
        self,
        board: ModelBoard,
        metrics: Metrics,
        *,
        sources: Sources,
        trust: Trust | None = None,
    ) -> None:
        self._board, self._metrics, self._trust = board, metrics, trust or Trust()
        self._store, self._baked, self._pins = sources
        self._marks: dict[str, tuple[int, int] | None] = {}
        self._retries: dict[str, Retry] = {}
        self._unread: set[str] = set()
        self._log = structlog.get_logger("slipway.service")
        self._started = time.monotonic()

    async def run(self) -> None:
        """Runs until cancelled."""
        settled = False
        while True:
            await self.step()
            if not settled and not self._board.unready():
                settle()
                settled = True
            await asyncio.sleep(WATCH_SECONDS)

    async def step(self) -> None:
        """One look at every model."""
        for name in self._board.slots:
            await self._check(name)

    async def _check(self, name: str) -> None:
        slot = self._board.slots[name]
        if self._store is not None:
            mark = self._store.pointer_mark(name)
            if mark is not None and (mark != self._marks.get(name) or self._retry_is_due(name)):
                await self._move(name, mark)
                return
        if slot.current is None and self._may_fall_back() and name not in self._marks:
            await self._load_baked(name)

    async def _move(self, name: str, mark: tuple[int, int]) -> None:
        """What cannot be read now is looked at again: the mark is that of a pointer that was read."""
        assert self._store is not None
        pointer = self._store.read_pointer(name)
        if pointer is None:
            self._cannot_read(name)
            return
        self._marks[name] = mark
        self._unread.discard(name)
        folder = self._store.version_folder(name, pointer.version)
        await self._follow(name, self._as_pinned(name, pointer), folder)

    def _cannot_read(self, name: str) -> None:
        if name not in self._unread:
            self._log.error("pointer cannot be read", model=name)
        self._unread.add(name)

    def _as_pinned(self, name: str, pointer: Pointer) -> Pointer:
        """A pointer that was made for another pin, by the agent of an earlier deployment, still serves."""
        pin = self._pins.get(name, pointer.desired)
        if pointer.desired == pin:
            return pointer
        return msgspec.structs.replace(pointer, desired=pin, reason=f"version {pin} is not in the store yet")

    def _retry_is_due(self, name: str) -> bool:
        return time.monotonic() >= self._retries.get(name, NO_RETRY).at

    def _plan_retry(self, name: str, error: Exception) -> None:
        """Trouble passes (no descriptors, no memory, a disk that is away); a version that does not fit never will."""
        if isinstance(error, ContractMismatch):
            self._retries.pop(name, None)
            return
        pause = min(self._retries.get(name, NO_RETRY).pause * 2, LONGEST_RETRY_SECONDS)
        self._retries[name] = Retry(at=time.monotonic() + pause, pause=pause)

    def _may_fall_back(self) -> bool:
        """The baked copy waits a moment for the store, unless it is the only source."""
        if self._baked is None:
            return False
        return self._store is None or time.monotonic() - self._started > FALLBACK_AFTER_SECONDS

    async def _load_baked(self, name: str) -> None:
        assert self._baked is not None
        folder = await asyncio.to_thread(self._baked.folder, name)
        if folder is None:
            return
        self._marks[name] = None
        try:
            digest = await asyncio.to_thread(servable_digest, folder)
        except ServableError as error:
            self._board.failed(name, desired="baked", reason=f"{type(error).__name__}: {error}")
            return
        version = version_of_digest(digest)
        pointer = Pointer(version=version, digest=digest, desired=version)
        await self._follow(name, self._as_pinned(name, pointer), folder)
        self._board.slots[name].stale = self._store is not None

    async def _follow(self, name: str, pointer: Pointer, folder: Path) -> None:
        slot = self._board.slots[name]
        for warm in slot.held:
            if (warm.version, warm.servable.digest) == (pointer.version, pointer.digest):
                self._board.swap(name, warm, desired=pointer.desired, reason=pointer.reason)
                return
        self._board.loading(name, desired=pointer.desired)
        started = time.perf_counter()
        try:
            model = await asyncio.to_thread(self._load, slot.definition, pointer, folder)
        except Exception as error:  # whatever a bad artifact does, the old version goes on
            self._board.failed(name, desired=pointer.desired, reason=f"{type(error).__name__}: {error}")
            self._plan_retry(name, error)
            self._log.error("model load failed", model=name, version=pointer.version, reason=str(error))
            return
        self._metrics.model_loads.labels(name).observe(time.perf_counter() - started)
        self._retries.pop(name, None)
        self._board.swap(name, model, desired=pointer.desired, reason=pointer.reason)
        self._log.info("model version served", model=name, version=pointer.version, desired=pointer.desired)

    def _load(self, definition: ModelDefinition, pointer: Pointer, folder: Path) -> LoadedModel:
        model = self._trust.load(definition, pointer, folder)
        give_back()
        return model
