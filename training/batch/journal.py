"""How far a batch has come, in a folder beside its output: what was planned, and one record per finished chunk.

A chunk is finished when its record is there and its part is what the record says. A kill leaves at most unfinished chunks,
which are computed again; every part is checked again before it goes into the output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import msgspec

from training.batch.places import UNFINISHED, Place
from training.errors import BatchRefused

PLAN = "plan.json"
FOLDER_SUFFIX = ".parts"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the output depends on. A run goes on only with what was begun."""

    input: str
    identity: str
    chunk_rows: int
    model: str
    version: str
    digest: str
    features: str = ""


class ChunkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One finished chunk: rows read, answered and rejected, and the digests of what was written."""

    number: int
    rows: int
    answered: int
    rejected: int
    part_digest: str
    rejected_digest: str


class Journal:
    """The folder of one output."""

    def __init__(self, output: Place) -> None:
        self._output = output
        self._folder = output.beside(FOLDER_SUFFIX)

    @property
    def folder(self) -> Place:
        return self._folder

    def begin(self, plan: Plan, *, restart: bool) -> dict[int, ChunkRecord]:
        """The records of chunks that need not be computed again."""
        if restart:
            self._folder.delete_folder()
        content = msgspec.json.encode(plan)
        found = self._folder.inside(PLAN).read()
        if found is None:
            self._folder.delete_folder()
            self._folder.make_folder()
            self._folder.inside(PLAN).write(content)
            return {}
        if found != content:
            raise BatchRefused(
                f"{self._folder.url} holds an unfinished run of another input, version or chunk size: "
                "finish it as it was begun, or drop it with --restart"
            )
        for name in self._folder.names():
            if name.endswith(UNFINISHED):
                self._folder.inside(name).delete()
        return {record.number: record for record in self._records()}

    def finish_chunk(
        self, number: int, counts: tuple[int, int, int], part: bytes, rejected: bytes
    ) -> ChunkRecord:
        """The record comes last: without it the rest counts for nothing."""
        rows, answered, refused = counts
        self._part(number).write(part)
        if rejected:
            self._rejected(number).write(rejected)
        record = ChunkRecord(
            number=number,
            rows=rows,
            answered=answered,
            rejected=refused,
            part_digest=_digest(part),
            rejected_digest=_digest(rejected),
        )
        self._record(number).write(msgspec.json.encode(record))
        return record

    def part(self, record: ChunkRecord) -> bytes:
        return self._checked(self._part(record.number), record.part_digest)

    def rejected(self, records: Sequence[ChunkRecord]) -> Iterator[bytes]:
        for record in records:
            if record.rejected:
                yield self._checked(self._rejected(record.number), record.rejected_digest)

    def end(self) -> None:
        """The plan goes first: what is left without one is nobody's."""
        self._folder.inside(PLAN).delete()
        self._folder.delete_folder()

    def _records(self) -> Iterator[ChunkRecord]:
        names = self._folder.names()
        for name in sorted(names):
            if name.startswith("chunk-"):
                record = self._whole(self._folder.inside(name).read() or b"")
                if record is not None:
                    yield record

    def _whole(self, content: bytes) -> ChunkRecord | None:
        try:
            record = msgspec.json.decode(content, type=ChunkRecord)
            self.part(record)
            list(self.rejected([record]))
        except (msgspec.MsgspecError, BatchRefused):
            return None
        return record

    def _checked(self, place: Place, digest: str) -> bytes:
        content = place.read()
        if content is None or _digest(content) != digest:
            raise BatchRefused(
                f"{place.url} is not what was written there: run again, or drop it with --restart"
            )
        return content

    def _part(self, number: int) -> Place:
        return self._folder.inside(f"part-{number:08d}")

    def _rejected(self, number: int) -> Place:
        return self._folder.inside(f"rejected-{number:08d}")

    def _record(self, number: int) -> Place:
        return self._folder.inside(f"chunk-{number:08d}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
