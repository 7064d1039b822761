"""A file that cannot be read for a while, as when descriptors run out: what `stat` says of it stays the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """By content, because permissions mean nothing to root."""
    content, status = path.read_bytes(), path.stat()

    def write(data: bytes) -> None:
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    write(b"{")
    try:
        yield
    finally:
        write(content)
