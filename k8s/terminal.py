"""What a verb says while it is still at work: one line per event, with the time."""

from __future__ import annotations

import time
from typing import TextIO


class Terminal:
    """Writes to one stream; the report itself is not its business."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=self._stream, flush=True)
