"""The use case: every row of a table answered or rejected, once, however often the program is killed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from modelkit.definition import ModelDefinition
from training.batch.entities import read_features
from training.batch.journal import ChunkRecord, Journal, Plan
from training.batch.loading import load_scorer
from training.batch.local_engine import run_threads
from training.batch.parts import encode_part, join_parts
from training.batch.places import Place, said_in_one_line
from training.batch.reading import Chunk, Source
from training.batch.rows import Rejected
from training.batch.scoring import Scored
from training.batch.version_files import VersionFiles
from training.errors import BatchRefused

REJECTED_SUFFIX = ".rejected.jsonl"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do. `engine` is `local` (threads) or `ray`."""

    definition: ModelDefinition
    version: VersionFiles
    input: Place
    output: Place
    chunk_rows: int
    workers: int
    engine: str = "local"
    restart: bool = False
    ray_address: str | None = None
    catalog: str = "catalog"
    features_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`resumed` rows were answered or rejected by an earlier run."""

    rows: int
    answered: int
    rejected: int
    resumed: int


def run(job: Job, advance: Callable[[int], object]) -> Summary:
    """`advance` is told of every number of rows that is done. Raises BatchRefused."""
    if job.input.is_same(job.output):
        raise BatchRefused(f"OUTPUT is INPUT: {job.input.url} would be replaced by its answers")
    source = Source(job.input)
    target = job.output.format
    features = _features(job, source)
    scorer = load_scorer(job.definition, job.version, is_text=source.is_text, features=features)
    schema = scorer.output_schema(source.schema)
    journal = Journal(job.output)
    with said_in_one_line(f"{job.output.url} cannot be written"):
        done = journal.begin(_plan(job, source, features), restart=job.restart)
    resumed = sum(record.rows for record in done.values())
    advance(resumed)
    chunks = (chunk for chunk in source.chunks(job.chunk_rows) if chunk.number not in done)

    def finish(chunk: Chunk, scored: Scored) -> ChunkRecord:
        part, rejected = encode_part(scored.answered, target), _lines(scored.rejected)
        counts = (chunk.table.num_rows, scored.answered.num_rows, len(scored.rejected))
        return journal.finish_chunk(chunk.number, counts, part, rejected)

    def score(chunk: Chunk) -> ChunkRecord:
        return finish(chunk, scorer(chunk.table, chunk.first_row))

    with said_in_one_line(f"{job.output.url} cannot be written"):
        if job.engine == "local":
            finished: Iterator[ChunkRecord] = run_threads(score, chunks, job.workers)
        else:
            from training.batch.ray_engine import run_ray

            mapped = run_ray(_ray_plan(job, features), source)
            finished = (finish(chunk, scored) for chunk, scored in mapped if chunk.number not in done)
        records: list[ChunkRecord] = []
        with job.output.publish(journal.folder) as sink:
            ordered = _in_order(finished, done, advance)
            join_parts(sink, _parts(journal, ordered, records), schema=schema, target=target)
            _publish_rejected(job, journal, records)
        journal.end()
    return _summary(job, records, resumed)


def _in_order(
    finished: Iterator[ChunkRecord], done: Mapping[int, ChunkRecord], advance: Callable[[int], object]
) -> Iterator[ChunkRecord]:
    """Records by number, each as soon as all before it are there: the output is joined while later chunks are answered."""
    waiting, following = dict(done), 0
    for record in finished:
        advance(record.rows)
        waiting[record.number] = record
        while following in waiting:
            yield waiting.pop(following)
            following += 1
    yield from (waiting[number] for number in sorted(waiting))


def _parts(
    journal: Journal, ordered: Iterator[ChunkRecord], records: list[ChunkRecord]
) -> Iterator[Callable[[], bytes]]:
    """Notes in `records` whose parts they were."""
    for record in ordered:
        records.append(record)
        yield partial(journal.part, record)


def _publish_rejected(job: Job, journal: Journal, records: list[ChunkRecord]) -> None:
    """Before the output is: an output never stands beside the rejected rows of another run."""
    beside = job.output.beside(REJECTED_SUFFIX)
    if any(record.rejected for record in records):
        with beside.publish(journal.folder) as sink:
            for lines in journal.rejected(records):
                sink.write(lines)
    else:
        beside.delete()


def _features(job: Job, source: Source) -> bytes | None:
    """Those of the entities that the rows name, where they do not bring them along."""
    view = job.definition.view
    if view is None or set(view.row.model_fields) & set(source.schema.names):
        return None
    return read_features(view, job.features_url)


def _plan(job: Job, source: Source, features: bytes | None) -> Plan:
    return Plan(
        input=job.input.url,
        identity=source.identity,
        chunk_rows=job.chunk_rows,
        model=job.definition.name,
        version=job.version.version,
        digest=job.version.digest,
        features="" if features is None else hashlib.sha256(features).hexdigest(),
    )


def _ray_plan(job: Job, features: bytes | None) -> Any:
    from training.batch.ray_engine import RayPlan

    return RayPlan(
        catalog=job.catalog,
        model=job.definition.name,
        version=job.version,
        features=features,
        chunk_rows=job.chunk_rows,
        workers=job.workers,
        address=job.ray_address,
    )


def _lines(rejected: list[Rejected]) -> bytes:
    return b"".join(msgspec.json.encode(item) + b"\n" for item in rejected)


def _summary(job: Job, records: list[ChunkRecord], resumed: int) -> Summary:
    found = Summary(
        rows=sum(record.rows for record in records),
        answered=sum(record.answered for record in records),
        rejected=sum(record.rejected for record in records),
        resumed=resumed,
    )
    if found.rows and not found.answered:
        raise BatchRefused(
            f"none of {found.rows} rows could be answered: see {job.output.url}{REJECTED_SUFFIX}"
        )
    return found
