"""`python -m serving spool`: what lies in the local prediction log, for a person who was told of a damaged segment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from serving.spool import CORRUPT, NEW, OPEN, SEALED, read_frames, records_in_name

STATES = {NEW: "new", OPEN: "being written", SEALED: "waits for SQL", CORRUPT: "damaged"}


def spool_lines(folder: Path, name: str = "") -> Iterator[str]:
    """A line for each segment; with the name of one the records that can be read of it, as JSON. Changes nothing."""
    if name:
        yield from (payload.decode(errors="replace") for payload in _readable(folder / name)[0])
        return
    yield f"{'segment':44} {'state':14} {'bytes':>10} {'records':>8} {'lost':>5} {'seconds old':>12}"
    for path in sorted(folder.glob("*-*")):
        try:
            held, (found, lost) = path.stat(), _readable(path)
        except OSError:  # shipped and deleted while we were looking
            continue
        age, state = time.time() - held.st_mtime, STATES.get(path.suffix, "no segment")
        yield f"{path.name:44} {state:14} {held.st_size:10} {len(found):8} {lost:5} {age:12.0f}"


def _readable(path: Path) -> tuple[list[bytes], int]:
    """The whole records, and how many are missing by the segment's name, or else by what is damaged."""
    frames = list(read_frames(path.read_bytes()))
    whole = [payload for payload in frames if payload is not None]
    said = records_in_name(path) if path.suffix in (SEALED, CORRUPT) else 0
    return whole, max(len(frames) - len(whole), said - len(whole))
