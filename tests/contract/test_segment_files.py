"""SegmentFiles: the spool lives on a real file system as it lives on the tests' fake."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from serving.adapters.segment_files import PosixSegmentFiles
from serving.ports import SegmentFiles
from serving.spool import SEALED, SpoolLimits, SpoolWriter
from tests.fakes.segment_files import MemorySegmentFiles


@pytest.fixture(params=["memory", "posix"])
def files(request: pytest.FixtureRequest) -> SegmentFiles:
    return MemorySegmentFiles() if request.param == "memory" else PosixSegmentFiles()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def content(files: SegmentFiles, path: Path) -> bytes:
    return files.files[path] if isinstance(files, MemorySegmentFiles) else path.read_bytes()


def test_a_folder_that_does_not_exist_has_no_entries(files: SegmentFiles, folder: Path) -> None:
    assert files.entries(folder) == []


def test_writes_follow_one_another(files: SegmentFiles, folder: Path) -> None:
    descriptor = files.create(folder / "a.open")
    files.write(descriptor, b"one")
    files.write(descriptor, b"")
    files.write(descriptor, b"two" * 100_000)
    files.sync(descriptor)
    files.sync_folder(folder)
    assert content(files, folder / "a.open") == b"one" + b"two" * 100_000
    assert files.entries(folder) == [("a.open", 300_003)]
    files.close(descriptor)


def test_what_is_cut_off_is_gone_and_writing_goes_on_behind_the_cut(
    files: SegmentFiles, folder: Path
) -> None:
    descriptor = files.create(folder / "a.open")
    files.write(descriptor, b"whole torn")
    files.truncate(descriptor, 5)
    files.write(descriptor, b"more")
    assert content(files, folder / "a.open") == b"wholemore"
    files.close(descriptor)


def test_a_file_keeps_its_content_under_another_name(files: SegmentFiles, folder: Path) -> None:
    descriptor = files.create(folder / "a.open")
    files.write(descriptor, b"one")
    files.rename(folder / "a.open", folder / "a.sealed")
    files.close(descriptor)
    assert files.entries(folder) == [("a.sealed", 3)]
    assert content(files, folder / "a.sealed") == b"one"


def test_a_file_that_is_not_there_cannot_be_renamed(files: SegmentFiles, folder: Path) -> None:
    descriptor = files.create(folder / "a.open")
    with pytest.raises((OSError, KeyError)):
        files.rename(folder / "b.open", folder / "b.sealed")
    files.close(descriptor)


def test_a_spool_writes_the_same_bytes_on_both(files: SegmentFiles, folder: Path) -> None:
    spool = SpoolWriter(folder, files, SpoolLimits(spool_bytes=10_000, segment_bytes=100))
    for number in range(10):
        spool.append([b"record %d" % number] * 3)
        spool.tend()
    spool.seal()
    sizes = sorted(size for name, size in files.entries(folder) if name.endswith(SEALED))
    assert (sizes, spool.pending_records) == ([48, 144, 144, 144], 30)


def test_a_new_file_is_locked_for_its_writer_until_it_is_closed(folder: Path) -> None:
    files = PosixSegmentFiles()
    descriptor = files.create(folder / "a.open")
    with (folder / "a.open").open("rb") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        files.close(descriptor)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_that_cannot_appear_leaves_neither_a_descriptor_nor_a_leftover(folder: Path) -> None:
    files = PosixSegmentFiles()
    (folder / "a.open" / "in the way").mkdir(parents=True)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(OSError):
            files.create(folder / "a.open")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert [path.name for path in folder.iterdir()] == ["a.open"]


def test_a_deleted_segment_disappears_from_the_entries(folder: Path) -> None:
    files = PosixSegmentFiles()
    files.close(files.create(folder / "a.open"))
    (folder / "a.open").unlink()
    assert files.entries(folder) == []
