"""A batch that is killed goes on where it stopped: the output is the one of a run that nobody disturbed, to the byte."""

from __future__ import annotations

import random
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from catalog.food_delivery.definition import DEFINITION
from tests.batch_runs import start_batch
from tests.batch_tables import write_deliveries
from tests.tiny_servables import write_tiny

ROWS, CHUNK_ROWS, KILLS = 300, 5, 10


def files_of(output: Path) -> list[bytes]:
    """The output and what was rejected, and nothing else beside them."""
    assert sorted(path.name for path in output.parent.iterdir()) == [
        output.name,
        f"{output.name}.rejected.jsonl",
    ]
    return [output.read_bytes(), output.with_name(f"{output.name}.rejected.jsonl").read_bytes()]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_batch_killed_at_ten_random_points_ends_with_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    servable, table, log = tmp_path / "servable", tmp_path / f"in{suffix}", tmp_path / "log"
    write_tiny(DEFINITION, servable)
    write_deliveries(table, ROWS, bad=(7, 8, 150, 299))
    usual = ["--servable", str(servable), "--chunk-rows", str(CHUNK_ROWS), "--workers", "2"]

    def start(folder: str) -> tuple[ForkServerProcess, Path]:
        output = tmp_path / folder / f"out{suffix}"
        return start_batch([DEFINITION.name, str(table), str(output), *usual], log), output

    begun = time.monotonic()
    process, undisturbed = start("undisturbed")
    process.join()
    took = time.monotonic() - begun
    assert process.exitcode == 0, log.read_text()
    expected = files_of(undisturbed)

    rolls, kills, interrupted, chain = random.Random(suffix), 0, 0, 0
    while kills < KILLS:
        process, output = start(f"chain-{chain}")
        process.join(rolls.uniform(0, took))
        if process.is_alive():
            process.kill()
            process.join()
            kills += 1
            interrupted += output.with_name(f"{output.name}.parts").exists()
            continue
        assert process.exitcode == 0, log.read_text()
        assert files_of(output) == expected
        chain += 1
    process, output = start(f"chain-{chain}")
    process.join()
    assert process.exitcode == 0, log.read_text()
    assert files_of(output) == expected
    assert interrupted > 0, "no kill met a batch at work"
