"""`python -m serving spool`: what lies in the local prediction log, for a person who was told of a damaged segment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from serving.agent.segments import SegmentFolder
from serving.spool import CORRUPT, NEW, OPEN, SEALED

STATES = {NEW: "new", OPEN: "being written", SEALED: "waits for SQL", CORRUPT: "damaged"}


def spool_lines(folder: Path, name: str = "") -> Iterator[str]:
    """A line for each segment; with the name of one the records that can be read of it, as JSON. Changes nothing."""
    segments = SegmentFolder(folder)
    if name:
        yield from (msgspec.json.encode(record).decode() for record in segments.read(folder / name).records)
        return
    yield f"{'segment':44} {'state':14} {'bytes':>10} {'records':>8} {'lost':>5} {'seconds old':>12}"
    for path in sorted(folder.glob("*-*")):
        try:
            held, found = path.stat(), segments.read(path)
        except OSError:  # shipped and deleted while we were looking
            continue
        age, state = time.time() - held.st_mtime, STATES.get(path.suffix, "no segment")
        yield (
            f"{path.name:44} {state:14} {held.st_size:10} {len(found.records):8} {found.corrupt:5} {age:12.0f}"
        )
