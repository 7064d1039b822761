"""Turns that count what is done in them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from serving.turns import Turns

Result = TypeVar("Result")


class CountedTurns(Turns):
    """`slices` is how many the work so far was made of."""

    def __init__(self) -> None:
        super().__init__()
        self.slices = 0

    async def through(self, slices: Generator[None, None, Result]) -> Result:
        return await super().through(self._counted(slices))

    def _counted(self, slices: Generator[None, None, Result]) -> Generator[None, None, Result]:
        self.slices += 1
        while True:
            try:
                next(slices)
            except StopIteration as ended:
                result: Result = ended.value
                return result
            self.slices += 1
            yield
