"""What the kernel is asked to do with files, seen where Python calls it: a disk does not tell whether it was asked to sync."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


@contextmanager
def kernel_calls(*functions: Callable[..., object]) -> Iterator[list[Path]]:
    """The files that functions such as `os.fsync` are called for meanwhile, by this thread and by those that start in it.

    Whoever calls one has the file's number in a variable named `descriptor`.
    """
    called_for: list[Path] = []

    def look(frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and called in functions:
            called_for.append(Path(f"/proc/self/fd/{frame.f_locals['descriptor']}").readlink())

    before = sys.getprofile()
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield called_for
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
