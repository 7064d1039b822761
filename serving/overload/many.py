"""What a window saw of requests for many rows. Each holds one place, like any other; what it takes goes by its rows."""

from __future__ import annotations


class ManySeen:
    """How many came, and of how many rows; how many ended, of how many rows and after how many seconds in sum, and the rows
    that were answered meanwhile, whosever they are.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.came = self.came_rows = self.ended = self.ended_rows = self.rows = 0
        self.waited = 0.0
