"""What `disk` asks of the kernel, from the settings to the real file layer, and what a hand-over to a folder does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from serving.adapters.segment_files import PosixSegmentFiles
from serving.agent.handoff_store import HandoffStore
from serving.metrics import Metrics
from serving.settings import Durability, Environment, Settings
from serving.spool import OPEN
from serving.worker_parts import make_prediction_log
from tests.durability.kernel_calls import kernel_calls
from tests.prediction_records import made_record


@pytest.fixture
def synced() -> Iterator[list[Path]]:
    with kernel_calls(os.fdatasync, os.fsync) as found:
        yield found


def synced_by(folder: Path, durability: Durability, synced: list[Path]) -> list[Path]:
    """What was synced by the time that each of two turns has its answer."""
    spool = folder / "log" / "spool"
    settings = Settings(slipway_env=Environment.DEV, spool_dir=spool, spool_durability=durability)

    async def two_turns() -> None:
        log = make_prediction_log(settings, Metrics(CollectorRegistry()))
        for name in ("p-1", "p-2"):
            await log.append([made_record(name)])

    asyncio.run(two_turns())
    return synced


def test_with_disk_an_answer_waits_for_its_segment_and_the_first_for_every_folder_on_the_way(
    tmp_path: Path, synced: list[Path]
) -> None:
    segment, *folders, again = synced_by(tmp_path, Durability.DISK, synced)
    assert segment == again
    assert segment.suffix == OPEN
    assert folders[:3] == [segment.parent, segment.parent.parent, tmp_path]


def test_with_process_nothing_is_synced(tmp_path: Path, synced: list[Path]) -> None:
    assert synced_by(tmp_path, Durability.PROCESS, synced) == []


def test_the_way_ends_where_the_volume_is_mounted(synced: list[Path]) -> None:
    PosixSegmentFiles().sync_above(Path("/proc"))
    assert synced == []


def test_a_segment_is_handed_over_to_a_folder_once_it_and_all_folders_on_the_way_are_synced(
    tmp_path: Path, synced: list[Path]
) -> None:
    place = tmp_path / "volume" / "handoff"
    name = HandoffStore(f"file://{place}").put(b"content", 1)
    assert synced[:5] == [place / name, (place / name).parent, place, place.parent, tmp_path]
