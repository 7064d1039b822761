"""One at a time fetches a version: production may want the very one that is being fetched as the challenger."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path


class FolderLocks:
    """Shared by the threads that write to one store. There are as many locks as versions were looked at."""

    def __init__(self) -> None:
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def of(self, folder: Path) -> threading.Lock:
        with self._guard:
            return self._locks[folder]
