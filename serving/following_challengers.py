"""The worker's side of a challenger: loads what is offered, lets go of what no longer is, and never touches readiness."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable

import structlog

from modelkit.errors import ContractMismatch
from serving.challengers import ChallengerSource, Offered
from serving.garbage import give_back
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.model_board import Challenger, ModelBoard, Slot, State
from serving.splitting import Split
from serving.trust import Trust

WATCH_SECONDS = 0.25
RETRY_SECONDS = 30.0
NEVER = math.inf

Mark = tuple[int, int] | None


class ChallengerFollower:
    """Keeps the challengers of a board's models in step with their source. One for each split."""

    def __init__(
        self,
        board: ModelBoard,
        source: ChallengerSource,
        metrics: Metrics,
        *,
        splits: dict[str, Split],
        trust: Trust | None = None,
    ) -> None:
        self._board, self._source, self._metrics = board, source, metrics
        self._trust = trust or Trust()
        self._seen: dict[str, Mark] = {}
        self._retries: dict[str, float] = {}
        self._log = structlog.get_logger("slipway.service")
        for name, split in splits.items():
            board.slots[name].challenger = Challenger(split)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(WATCH_SECONDS)

    async def step(self) -> None:
        """One look at every challenger."""
        for slot, challenger in challengers(self._board):
            name = slot.definition.name
            mark = self._source.mark(name)
            if name in self._seen and self._seen[name] == mark and not self._is_due(name):
                continue
            self._seen[name] = mark
            self._retries.pop(name, None)
            await self._follow(slot, challenger)

    def _is_due(self, name: str) -> bool:
        return time.monotonic() >= self._retries.get(name, NEVER)

    async def _follow(self, slot: Slot, challenger: Challenger) -> None:
        name = slot.definition.name
        try:
            offered = await asyncio.to_thread(self._source.offered, name)
            if offered is None:
                self._let_go(name, challenger, None, State.WAITING, "no version is the challenger")
            elif not offered.pointer.version:
                pointer = offered.pointer
                self._let_go(name, challenger, pointer.desired, State.FAILED, pointer.reason)
            else:
                await self._take(slot, challenger, offered)
        except Exception as error:  # whatever a bad artifact does, production goes on
            reason = f"{type(error).__name__}: {error}"
            self._let_go(name, challenger, challenger.desired, State.FAILED, reason)
            self._log.error("challenger not loaded", model=name, version=challenger.desired, reason=reason)
            if not isinstance(error, ContractMismatch):  # that one will never fit; other trouble passes
                self._retries[name] = time.monotonic() + RETRY_SECONDS

    async def _take(self, slot: Slot, challenger: Challenger, offered: Offered) -> None:
        name, pointer = slot.definition.name, offered.pointer
        challenger.desired, challenger.state = pointer.desired, State.LOADING
        challenger.reason = f"version {pointer.version} is being loaded"
        model = next((held for held in slot.held if _is(held, offered)), None)
        if model is None:
            model = await asyncio.to_thread(self._load, slot, offered)
        self._let_go(name, challenger, pointer.desired, State.READY, "")
        challenger.model = model
        self._metrics.comparison.challenger_info.labels(name, model.version).set(1)
        self._log.info("challenger loaded", model=name, version=model.version)

    def _load(self, slot: Slot, offered: Offered) -> LoadedModel:
        model = self._trust.load(slot.definition, offered.pointer, offered.folder)
        give_back()
        return model

    def _let_go(
        self, name: str, challenger: Challenger, desired: str | None, state: State, reason: str
    ) -> None:
        left, challenger.model = challenger.model, None
        challenger.desired, challenger.state, challenger.reason = desired, state, reason
        if left is not None:
            self._metrics.comparison.challenger_info.labels(name, left.version).set(0)


def challengers(board: ModelBoard) -> Iterable[tuple[Slot, Challenger]]:
    return [(slot, slot.challenger) for slot in board.slots.values() if slot.challenger is not None]


def _is(model: LoadedModel, offered: Offered) -> bool:
    pointer = offered.pointer
    return (model.version, model.servable.digest) == (pointer.version, pointer.digest)
