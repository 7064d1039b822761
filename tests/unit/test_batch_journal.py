"""What was written is proven before it counts: a part that is not what its record says is computed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.batch.journal import Journal, Plan
from training.batch.places import ObjectStorage, Place, open_place
from training.errors import BatchRefused

PLAN = Plan(input="in.csv", identity="1 bytes", chunk_rows=10, model="m", version="1", digest="sha256:0")
PART, REJECTED = b"a,1\n", b'{"row":3}\n'


@pytest.fixture
def output(tmp_path: Path) -> Place:
    return open_place(str(tmp_path / "out.csv"), ObjectStorage())


def begun(output: Place) -> Journal:
    """A run that was killed after two chunks."""
    journal = Journal(output)
    assert journal.begin(PLAN, restart=False) == {}
    for number in range(2):
        journal.finish_chunk(number, (10, 9, 1), PART, REJECTED)
    return journal


def test_finished_chunks_are_not_computed_again(output: Place) -> None:
    begun(output)
    again = Journal(output)
    records = again.begin(PLAN, restart=False)
    assert sorted(records) == [0, 1]
    assert again.part(records[1]) == PART
    assert list(again.rejected([records[0]])) == [REJECTED]


@pytest.mark.parametrize("spoilt", ["part-00000001", "rejected-00000001", "chunk-00000001"])
@pytest.mark.parametrize("content", [b"", b"a,2\n", None])
def test_a_chunk_that_was_spoilt_is_computed_again(output: Place, spoilt: str, content: bytes | None) -> None:
    path = Path(begun(output).folder.path) / spoilt
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert sorted(Journal(output).begin(PLAN, restart=False)) == [0]


def test_a_part_that_changed_after_it_was_checked_goes_into_no_output(output: Place) -> None:
    journal = begun(output)
    records = journal.begin(PLAN, restart=False)
    (Path(journal.folder.path) / "part-00000000").write_bytes(b"a,2\n")
    with pytest.raises(BatchRefused, match="not what was written"):
        journal.part(records[0])


def test_without_a_plan_what_lies_there_is_nobodys(output: Place) -> None:
    journal = begun(output)
    (Path(journal.folder.path) / "plan.json").unlink()
    assert Journal(output).begin(PLAN, restart=False) == {}
    assert journal.folder.names() == {"plan.json"}


def test_nothing_is_left_when_a_run_ends(output: Place) -> None:
    journal = begun(output)
    journal.end()
    assert not Path(journal.folder.path).exists()


def test_an_output_that_fails_half_way_never_appears(output: Place) -> None:
    Path(output.path).write_text("of the run before")
    with pytest.raises(BatchRefused):
        publish_half(output)
    assert Path(output.path).read_text() == "of the run before"
    assert [path.name for path in Path(output.path).parent.iterdir()] == ["out.csv"]


def publish_half(output: Place) -> None:
    with output.publish() as sink:
        sink.write(b"half")
        raise BatchRefused("no part is left")
