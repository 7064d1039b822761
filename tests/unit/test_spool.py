"""The spool's writer over a disk that does what disks do."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.spool import HEADER, OPEN, SEALED, SpoolFull, SpoolLimits, SpoolWriter, frame, read_frames
from tests.fakes.clock import FakeClock
from tests.fakes.segment_files import MemorySegmentFiles, no_space
from tests.prediction_records import payloads

FOLDER = Path("/spool")
RECORDS = [b"one", b"two", b"3", b"four" * 50]


@pytest.fixture
def files() -> MemorySegmentFiles:
    return MemorySegmentFiles()


def writer(
    files: MemorySegmentFiles, *, spool_bytes: int = 1_000_000, clock: FakeClock | None = None
) -> SpoolWriter:
    limits = SpoolLimits(spool_bytes=spool_bytes, segment_bytes=1000, seal_after_seconds=0.5)
    return SpoolWriter(FOLDER, files, limits, clock=clock or FakeClock())


def contents(files: MemorySegmentFiles, suffix: str = "") -> list[list[bytes | None]]:
    return [list(read_frames(content)) for path, content in files.files.items() if path.name.endswith(suffix)]


def names(files: MemorySegmentFiles) -> list[str]:
    return [path.name for path in files.files]


def test_frames_come_back_as_they_were_written() -> None:
    assert list(read_frames(b"".join(map(frame, RECORDS)))) == RECORDS


def test_a_tail_torn_anywhere_gives_exactly_the_whole_frames_before_it() -> None:
    content = b"".join(map(frame, RECORDS))
    ends = [sum(len(frame(record)) for record in RECORDS[:count]) for count in range(len(RECORDS) + 1)]
    for length in range(len(content) + 1):
        whole = max(count for count, end in enumerate(ends) if end <= length)
        assert list(read_frames(content[:length])) == RECORDS[:whole]


def test_a_flipped_bit_costs_the_record_that_it_is_in_and_gives_no_other() -> None:
    records = payloads("p-1", "p-2", "p-3")
    content, size = b"".join(map(frame, records)), len(frame(records[0]))
    for bit in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        found = list(read_frames(bytes(flipped)))
        hit = bit // 8 // size
        assert [record for record in found if record is not None] == records[:hit] + records[hit + 1 :]
        assert None in found or hit == 2, "a last frame that claims to be longer looks torn"


def test_a_tail_of_which_the_disk_kept_the_length_alone_was_never_acknowledged() -> None:
    content = b"".join(map(frame, RECORDS))
    for kept in range(len(frame(RECORDS[3]))):
        torn = content[: len(content) - kept] + bytes(kept)
        assert list(read_frames(torn)) == (RECORDS[:3] if kept else RECORDS)


def test_a_hole_before_whole_frames_is_damage_and_not_a_torn_tail() -> None:
    first, *others = map(frame, RECORDS)
    assert list(read_frames(bytes(len(first)) + b"".join(others))) == [None, *RECORDS[1:]]


def test_what_a_caller_sends_is_never_taken_for_a_frame() -> None:
    hostile = payloads(frame(payloads("p-forged")[0]).decode("latin-1"))[0]
    damaged = bytearray(frame(hostile) + frame(b"behind"))
    damaged[HEADER.size + 3] ^= 1
    assert list(read_frames(bytes(damaged))) == [None, b"behind"]


def test_a_length_beyond_all_reason_is_corrupt() -> None:
    assert list(read_frames(frame(b"a") + HEADER.pack(1 << 31, 0) + b"x" * 100)) == [b"a", None]


def test_a_turn_is_one_write(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    spool.append(RECORDS)
    assert files.calls == ["create", "write"]
    assert contents(files) == [RECORDS]
    assert spool.pending_records == 4
    assert spool.bytes_used == len(b"".join(map(frame, RECORDS)))


def test_a_full_segment_is_sealed_under_the_number_of_its_records(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    for _ in range(3):
        spool.append([b"x" * 600])
    sealed, still_open = names(files)
    assert sealed.endswith(f"-2{SEALED}")
    assert still_open.endswith(OPEN)
    assert [len(found) for found in contents(files)] == [2, 1]
    assert spool.pending_records == 3


def test_an_old_segment_is_handed_over_and_a_young_one_is_not(files: MemorySegmentFiles) -> None:
    clock = FakeClock()
    spool = writer(files, clock=clock)
    spool.append([b"one"])
    clock.advance(0.4)
    spool.tend()
    assert names(files)[0].endswith(OPEN)
    clock.advance(0.2)
    spool.tend()
    assert names(files)[0].endswith(f"-1{SEALED}")
    assert files.open == {}


def test_an_empty_spool_has_no_segment_to_seal(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    spool.seal()
    spool.tend()
    spool.sync()
    assert files.calls == []


def test_every_segment_has_a_name_of_its_own(files: MemorySegmentFiles) -> None:
    for spool in (writer(files), writer(files)):
        for _ in range(3):
            spool.append([b"one"])
            spool.seal()
    assert len(set(names(files))) == 6


def test_a_spool_at_its_cap_refuses_and_writes_nothing(files: MemorySegmentFiles) -> None:
    spool = writer(files, spool_bytes=100)
    spool.append([b"x" * 60])
    with pytest.raises(SpoolFull):
        spool.append([b"x" * 60])
    assert contents(files) == [[b"x" * 60]]
    spool.append([b"small"])
    assert spool.pending_records == 2


def test_the_spool_takes_records_again_once_the_agent_made_room(files: MemorySegmentFiles) -> None:
    spool = writer(files, spool_bytes=100)
    spool.append([b"x" * 80])
    spool.seal()
    with pytest.raises(SpoolFull):
        spool.append([b"x" * 80])
    files.files.clear()
    spool.tend()
    spool.append([b"y" * 80])
    assert contents(files) == [[b"y" * 80]]
    assert spool.pending_records == 1


def test_what_other_workers_wrote_counts_towards_the_cap(files: MemorySegmentFiles) -> None:
    other, spool = writer(files, spool_bytes=200), writer(files, spool_bytes=200)
    other.append([b"x" * 150])
    other.seal()
    spool.tend()
    assert spool.pending_records == 1
    with pytest.raises(SpoolFull):
        spool.append([b"x" * 60])


@pytest.mark.parametrize("torn_bytes", [0, 1, 7, 8, 9, 60, 67])
def test_a_failed_write_is_cut_back_and_a_new_segment_started(
    files: MemorySegmentFiles, torn_bytes: int
) -> None:
    spool = writer(files)
    spool.append([b"before"])
    files.fail["write"], files.torn_bytes = [no_space()], torn_bytes
    with pytest.raises(OSError, match="No space"):
        spool.append([b"x" * 60])
    spool.append([b"after"])
    assert contents(files) == [[b"before"], [b"after"]]
    assert names(files)[0].endswith(f"-1{SEALED}")
    assert spool.pending_records == 2
    assert len(files.open) == 1


def test_nothing_is_ever_written_behind_a_torn_tail_that_could_not_be_cut(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    spool.append([b"before"])
    files.fail = {"write": [no_space()], "truncate": [no_space()]}
    files.torn_bytes = 5
    with pytest.raises(OSError, match="No space"):
        spool.append([b"lost"])
    spool.append([b"after"])
    assert contents(files) == [[b"before"], [b"after"]]


def test_a_segment_that_cannot_be_sealed_is_let_go_for_the_agent_to_adopt(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    spool.append([b"before"])
    files.fail["rename"] = [no_space()]
    with pytest.raises(OSError, match="No space"):
        spool.seal()
    assert files.open == {}
    spool.append([b"after"])
    spool.seal()
    assert contents(files) == [[b"before"], [b"after"]]
    assert [name.rsplit(".", 1)[1] for name in names(files)] == ["open", "sealed"]


def test_a_segment_that_cannot_be_created_is_tried_again(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    files.fail["create"] = [no_space(), no_space()]
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            spool.append([b"lost"])
    spool.append([b"kept"])
    assert contents(files) == [[b"kept"]]


def test_syncing_reaches_everything_appended_so_far(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    spool.append([b"one"])
    spool.append([b"two"])
    spool.sync()
    (path,) = files.files
    assert files.synced[path] == len(files.files[path])


def test_a_segments_name_is_synced_once_and_with_the_first_what_is_above(files: MemorySegmentFiles) -> None:
    spool = writer(files)
    for _ in range(2):
        for _ in range(2):
            spool.append([b"one"])
            spool.sync()
        spool.seal()
    assert files.calls.count("sync") == 4
    assert files.calls.count("sync_folder") == 2
    assert files.calls[:6] == ["create", "write", "sync", "sync_folder", "sync_above", "write"]


@pytest.mark.parametrize("failing", ["sync", "sync_folder", "sync_above"])
def test_what_could_not_be_synced_is_never_synced_again_nor_written_behind(
    files: MemorySegmentFiles, failing: str
) -> None:
    spool = writer(files)
    spool.append([b"lost, perhaps"])
    files.fail[failing] = [no_space()]
    with pytest.raises(OSError, match="No space"):
        spool.sync()
    (first,) = files.files
    asked = files.calls.count("sync")
    spool.append([b"kept"])
    spool.sync()
    assert contents(files) == [[b"lost, perhaps"], [b"kept"]]
    assert files.calls.count("sync") == asked + 1
    assert files.synced.get(first, 0) in (0, len(files.files[first]))
    assert len(files.open) == 1


def test_a_full_disk_collects_no_empty_segments(files: MemorySegmentFiles) -> None:
    clock = FakeClock()
    spool = writer(files, clock=clock)
    files.fail["write"], files.torn_bytes = [no_space() for _ in range(100)], 5
    for _ in range(100):
        with pytest.raises(OSError, match="No space"):
            spool.append([b"x" * 60])
        clock.advance(1)
        spool.tend()
    assert list(files.files.values()) == [b""]
    spool.append([b"kept"])
    assert contents(files) == [[b"kept"]]


def test_segments_that_nobody_takes_away_become_fewer(files: MemorySegmentFiles) -> None:
    clock = FakeClock()
    spool = writer(files, clock=clock)
    for _ in range(1000):
        spool.append([b"one"])
        clock.advance(0.5)
        spool.tend()
    assert spool.pending_records == 1000
    assert len(files.files) < 250
