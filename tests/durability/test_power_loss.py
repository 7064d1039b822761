"""`disk` durability: whenever the power goes, every answered prediction is in SQL once, and nothing that nobody asked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.settings import Durability
from serving.spool import frame, read_frames
from tests.durability.power_loss import PowerLoss
from tests.durability.recorded import RECORDS, Step, recorded_run
from tests.durability.recovery import Recovery
from tests.prediction_records import payloads

MEMORY = Path("/dev/shm")  # thousands of starts, none of which is about this machine's own disk
ASKED = {f"p-{number:03d}" for number in range(RECORDS)}


@dataclass(frozen=True)
class Broken:
    """A promise that does not hold: at which step, and of which predictions."""

    step: int
    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture
def recovery(folder: Path, sqlite_url: str) -> Iterator[Recovery]:
    database = folder / "records.db"
    shutil.copy(sqlite_url.removeprefix("sqlite:///"), database)
    made = Recovery(folder / "recovered", f"sqlite:///{database}")
    yield made
    made.close()


def fresh(folder: Path) -> Path:
    """A spool in folders that are not there yet."""
    return folder / "log" / "spool"


def broken_promises(steps: list[Step], folder: Path, recovery: Recovery) -> Iterator[Broken]:
    """One look at every disk that the power may leave after every step."""
    spool = fresh(folder)
    now = PowerLoss(spool, {spool.parent, folder})
    for number, step in enumerate(steps):
        now.follow(step)
        for disk in now.disks():
            rows = recovery.rows(disk, now.committed)
            there = set(rows) | now.committed
            lost, invented = now.answered - there, set(rows) - ASKED
            if lost or invented or len(rows) > len(set(rows)):
                yield Broken(number, tuple(sorted(lost)), tuple(sorted(invented)), tuple(sorted(rows)))


def test_whenever_the_power_goes_every_answered_prediction_is_recovered_once_and_none_is_invented(
    folder: Path, recovery: Recovery
) -> None:
    steps = recorded_run(fresh(folder))
    assert {name for step in steps if step.kind == "answered" for name in step.ids} == ASKED
    assert next(broken_promises(steps, folder, recovery), None) is None
    assert recovery.starts > 1000, "so many different disks were looked at"


@pytest.mark.parametrize("missing", ["sync", "sync_folder", "sync_above"])
def test_without_the_sync_of_contents_or_of_names_or_of_folders_an_answered_prediction_is_lost(
    folder: Path, recovery: Recovery, missing: str
) -> None:
    steps = recorded_run(fresh(folder), missing=missing)
    assert next(broken_promises(steps, folder, recovery)).lost


def test_what_survives_any_kill_does_not_survive_a_loss_of_power(folder: Path, recovery: Recovery) -> None:
    steps = recorded_run(fresh(folder), durability=Durability.PROCESS)
    assert next(broken_promises(steps, folder, recovery)).lost


def test_every_torn_length_of_every_write_reads_as_the_whole_records_before_it(folder: Path) -> None:
    """With what follows missing, and with zeros in its place."""
    before: dict[int, bytes] = {}
    for step in recorded_run(fresh(folder)):
        if step.kind == "write":
            held = before.get(step.file, b"")
            _read_torn(held, step.block)
            before[step.file] = held + step.block


def _read_torn(held: bytes, block: bytes) -> None:
    there, added = list(read_frames(held)), list(read_frames(block))
    size = len(frame(payloads("p-000")[0]))
    assert size * len(added) == len(block)
    for cut in range(len(block) + 1):
        whole = there + added[: cut // size]
        assert list(read_frames(held + block[:cut])) == whole
        assert list(read_frames(held + block[:cut] + bytes(len(block) - cut))) == whole
