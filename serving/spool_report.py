"""`python -m serving spool`: what lies in the local prediction log, for a person who was told of a damaged segment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from serving.spool import CORRUPT, NEW, OPEN, SEALED, read_frames, records_in_name

STATES = {NEW: "new", OPEN: "being written", SEALED: "waits for SQL", CORRUPT: "damaged"}


def print_spool(folder: Path, name: str) -> int:
    """The exit code; what cannot be read is named."""
    try:
        for line in spool_lines(folder, name):
            sys.stdout.write(f"{line}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    return 0


def spool_lines(folder: Path, name: str = "") -> Iterator[str]:
    """A line for each segment; with the name of one the records that can be read of it, as JSON. Changes nothing.

    Raises OSError where the folder, or the segment that was asked for, cannot be read.
    """
    if name:
        yield from (payload.decode(errors="replace") for payload in _readable(folder / Path(name).name)[0])
        return
    yield f"{'segment':44} {'state':14} {'bytes':>10} {'records':>8} {'lost':>5} {'seconds old':>12}"
    for path in sorted(path for path in folder.iterdir() if "-" in path.name):
        try:
            held, (found, lost) = path.stat(), _readable(path)
        except FileNotFoundError:  # shipped and deleted while we were looking
            continue
        except OSError as error:
            yield f"{path.name:44} {error.strerror}"
            continue
        age, state = time.time() - held.st_mtime, STATES.get(path.suffix, "no segment")
        yield f"{path.name:44} {state:14} {held.st_size:10} {len(found):8} {lost:5} {age:12.0f}"


def _readable(path: Path) -> tuple[list[bytes], int]:
    """The whole records, and how many are missing by the segment's name, or else by what is damaged."""
    frames = list(read_frames(path.read_bytes()))
    whole = [payload for payload in frames if payload is not None]
    said = records_in_name(path) if path.suffix in (SEALED, CORRUPT) else None
    return whole, max(len(frames) - len(whole), (said or 0) - len(whole))
