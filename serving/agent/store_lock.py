"""The lock on the model store: of several agents, one writes. It is free again when its holder is gone."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from typing import IO

RETRY_SECONDS = 0.2
FILE = "agent.lock"


class StoreLock:
    """Held from the first successful `take` until the process ends or `free` is called."""

    def __init__(self, store: Path) -> None:
        store.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (store / FILE).open("w")

    def take(self) -> bool:
        """False while another process has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self, stop: threading.Event) -> bool:
        """Until it is ours; False when told to stop first."""
        while not stop.is_set():
            if self.take():
                return True
            stop.wait(RETRY_SECONDS)
        return False

    def free(self) -> None:
        self._file.close()
