"""The agent's side of the spool on real files: which segments it takes, and what it makes of damaged ones."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.adapters.segment_files import PosixSegmentFiles
from serving.agent.segments import SegmentFolder
from serving.spool import OPEN, SEALED, SpoolLimits, SpoolWriter, frame
from tests.durability.kernel_calls import kernel_calls
from tests.prediction_records import payloads

IDS = ("p-1", "p-2", "p-3")


@pytest.fixture
def segments(tmp_path: Path) -> SegmentFolder:
    return SegmentFolder(tmp_path)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SpoolWriter]:
    made = SpoolWriter(tmp_path, PosixSegmentFiles(), SpoolLimits(spool_bytes=1_000_000))
    yield made
    made.seal()


def ids(segments: SegmentFolder, path: Path) -> list[str]:
    return [record.prediction_id for record in segments.read(path).records]


def orphan(folder: Path, content: bytes, name: str = "1.dead-00000001") -> Path:
    """What a writer leaves that was killed: an open segment that nobody locks."""
    path = folder / f"{name}{OPEN}"
    path.write_bytes(content)
    return path


def test_a_sealed_segment_is_read_as_it_was_written(segments: SegmentFolder, writer: SpoolWriter) -> None:
    writer.append(payloads(*IDS))
    writer.seal()
    (path,) = segments.sealed()
    assert ids(segments, path) == list(IDS)
    assert segments.read(path).corrupt == 0
    assert segments.pending_records() == 3


def test_a_segment_being_written_is_left_alone(segments: SegmentFolder, writer: SpoolWriter) -> None:
    writer.append(payloads(*IDS))
    assert segments.adopt_orphans() == 0
    assert segments.sealed() == []
    writer.append(payloads("p-4"))
    writer.seal()
    assert ids(segments, segments.sealed()[0]) == [*IDS, "p-4"]


def test_the_open_segment_of_a_dead_writer_is_adopted(segments: SegmentFolder, tmp_path: Path) -> None:
    orphan(tmp_path, b"".join(map(frame, payloads(*IDS))))
    assert segments.adopt_orphans() == 1
    (path,) = segments.sealed()
    assert path.name == f"1.dead-00000001-3{SEALED}"
    assert ids(segments, path) == list(IDS)
    assert segments.adopt_orphans() == 0


def test_an_adopted_segment_with_a_torn_tail_holds_what_was_acknowledged(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    orphan(tmp_path, b"".join(map(frame, payloads(*IDS)))[:-5])
    segments.adopt_orphans()
    (path,) = segments.sealed()
    assert ids(segments, path) == ["p-1", "p-2"]
    assert segments.read(path).corrupt == 0


def test_an_open_segment_that_somebody_still_locks_is_not_adopted(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    path = orphan(tmp_path, frame(payloads("p-1")[0]))
    with path.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert segments.adopt_orphans() == 0
    assert segments.adopt_orphans() == 1


def test_a_segment_that_was_sealed_between_the_look_and_the_lock_is_not_adopted(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    listed = tmp_path / f"1.alive-00000001{OPEN}"
    assert not segments._left_by_the_dead(listed, segments._adopt)
    writer = SpoolWriter(tmp_path, PosixSegmentFiles(), SpoolLimits(spool_bytes=1_000_000))
    writer.append(payloads("p-1"))
    writer.seal()
    assert not segments._left_by_the_dead(listed, segments._adopt)
    assert [ids(segments, path) for path in segments.sealed()] == [["p-1"]]


def test_what_a_writer_leaves_that_died_before_its_segment_appeared_disturbs_nobody(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    (tmp_path / "1.dead-00000001.new").touch()
    assert segments.adopt_orphans() == 0
    assert segments.sealed() == []
    writer = SpoolWriter(tmp_path, PosixSegmentFiles(), SpoolLimits(spool_bytes=1_000_000))
    assert writer.pending_records == 0


def test_what_a_writer_left_before_its_segment_appeared_goes_after_a_while_and_a_living_writers_does_not(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    left, young, held = (tmp_path / f"{name}-00000001.new" for name in ("left", "young", "held"))
    for path in (left, young, held):
        path.touch()
    for path in (left, held):
        os.utime(path, (1000, 1000))
    with held.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        segments.adopt_orphans()
    assert sorted(tmp_path.iterdir()) == [held, young]


def test_a_file_that_a_writer_is_about_to_lock_is_not_locked_by_the_agent(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    path = tmp_path / "w-00000001.new"
    path.touch()
    with kernel_calls(fcntl.flock) as locked:
        segments.adopt_orphans()
        os.utime(path, (1000, 1000))
        assert locked == []
        segments.adopt_orphans()
    assert locked == [path]


def test_segments_come_oldest_first(segments: SegmentFolder, tmp_path: Path) -> None:
    for place, name in enumerate(("c", "a", "b")):
        path = tmp_path / f"{name}-1{SEALED}"
        path.touch()
        os.utime(path, (1000 + place, 1000 + place))
    assert [path.name[0] for path in segments.sealed()] == ["c", "a", "b"]
    assert segments.oldest_age_seconds() > 1_000_000


def test_a_folder_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    segments = SegmentFolder(tmp_path / "later")
    assert segments.adopt_orphans() == segments.pending_records() == 0
    assert segments.sealed() == []
    assert segments.oldest_age_seconds() == 0.0


def test_a_frame_that_is_whole_but_no_record_is_counted(segments: SegmentFolder, tmp_path: Path) -> None:
    path = tmp_path / f"w-00000001-3{SEALED}"
    path.write_bytes(frame(payloads("p-1")[0]) + frame(b'{"not": "a record"}') + frame(b'{"model": "\xff"}'))
    found = segments.read(path)
    assert ([record.prediction_id for record in found.records], found.corrupt) == (["p-1"], 2)


def test_a_segment_that_was_set_aside_is_not_shipped_again(segments: SegmentFolder, tmp_path: Path) -> None:
    path = tmp_path / f"w-00000001-2{SEALED}"
    path.write_bytes(b"damaged")
    segments.set_aside(path)
    assert segments.sealed() == []
    assert (tmp_path / "w-00000001-2.corrupt").read_bytes() == b"damaged"
    assert segments.set_aside_count() == 1


def test_a_file_that_somebody_else_put_there_counts_as_nothing(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    (tmp_path / "notes.sealed").write_bytes(b"")
    assert segments.pending_records() == 0


def test_a_segment_is_read_as_far_as_its_name_says_and_whole_where_it_says_nothing(
    segments: SegmentFolder, tmp_path: Path
) -> None:
    content = b"".join(map(frame, payloads(*IDS)))
    held = {f"w-00000001-2{SEALED}": 2, f"w-00000002-0{SEALED}": 0, f"notes{SEALED}": 3}
    for name in held:
        (tmp_path / name).write_bytes(content)
    assert {path.name: len(ids(segments, path)) for path in segments.sealed()} == held


def test_what_is_no_segment_at_all_is_left_alone(segments: SegmentFolder, tmp_path: Path) -> None:
    (tmp_path / "folder-00000001.open").mkdir()
    assert segments.adopt_orphans() == 0
