"""Damaged segments and interrupted deletions: no wrong record is delivered, none is delivered twice, nobody goes in circles."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentFolder, read_records
from serving.agent.shipper import Shipper
from serving.spool import CORRUPT, OPEN, SEALED, frame, read_frames
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.prediction_records import figure, payloads

IDS = tuple(f"p-{number:02d}" for number in range(50))
SHIPPED_BITS, SEED = 150, 7


class KilledAt(BaseException):
    """The process ends here."""


class KilledFolder(SegmentFolder):
    """A folder whose agent is killed right before or right after it changes a file."""

    def __init__(self, folder: Path, *, before: bool) -> None:
        super().__init__(folder)
        self._before = before

    def delete(self, path: Path) -> None:
        if not self._before:
            super().delete(path)
        raise KilledAt

    def set_aside(self, path: Path) -> None:
        if not self._before:
            super().set_aside(path)
        raise KilledAt


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.fixture(scope="module")
def content() -> bytes:
    return b"".join(map(frame, payloads(*IDS)))


def test_each_flipped_bit_of_fifty_records_costs_one_record_and_is_counted(content: bytes) -> None:
    written, size = payloads(*IDS), len(content) // len(IDS)
    for bit in range(len(content) * 8):
        damaged = flipped(content, bit)
        # From the frame before the damage on: those further ahead are read as they always are.
        start = max(0, bit // 8 // size - 1)
        found = [payload for payload in read_frames(damaged[start * size :]) if payload is not None]
        hit = bit // 8 // size
        assert found == written[start:hit] + written[hit + 1 :]


def test_a_damaged_segment_is_shipped_but_for_the_damage_counted_and_never_tried_again(
    content: bytes, tmp_path: Path
) -> None:
    chance, table, metrics = random.Random(SEED), MemoryPredictionTable(), AgentMetrics()
    shipper = Shipper(SegmentFolder(tmp_path), table, metrics)
    for round_, bit in enumerate(chance.sample(range(len(content) * 8), SHIPPED_BITS), 1):
        table.rows.clear()
        (tmp_path / f"w-{round_:08d}-{len(IDS)}{SEALED}").write_bytes(flipped(content, bit))
        assert shipper.step()
        assert shipper.step()
        hit = bit // 8 // (len(content) // len(IDS))
        assert list(table.rows) == [name for place, name in enumerate(IDS) if place != hit]
        assert figure(metrics.registry, "slipway_agent_records_total", result="corrupt") == round_
    assert len(table.batches) == SHIPPED_BITS
    assert {path.suffix for path in tmp_path.iterdir()} == {CORRUPT}


@pytest.mark.parametrize("place", [0, 25, 48])
def test_damage_in_a_segment_that_was_never_sealed_is_counted_too(
    content: bytes, tmp_path: Path, place: int
) -> None:
    size = len(content) // len(IDS)
    too_long = flipped(content, (place * size + 2) * 8)  # the length now reaches behind the end
    (tmp_path / f"w-00000001{OPEN}").write_bytes(too_long)
    table, metrics = MemoryPredictionTable(), AgentMetrics()
    assert Shipper(SegmentFolder(tmp_path), table, metrics).step()
    assert len(table.rows) == len(IDS) - 1
    assert figure(metrics.registry, "slipway_agent_records_total", result="corrupt") == 1
    assert figure(metrics.registry, "slipway_agent_segments_set_aside") == 1


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "whole"])
def test_an_agent_killed_while_it_lets_a_segment_go_starts_again_and_ships_nothing_twice(
    content: bytes, tmp_path: Path, *, before: bool, damaged: bool
) -> None:
    held = flipped(content, 8 * 9) if damaged else content
    for number in range(3):
        (tmp_path / f"w-{number:08d}-{len(IDS)}{SEALED}").write_bytes(held)
    table, kills = MemoryPredictionTable(), 0
    while kills < 5:
        try:
            Shipper(KilledFolder(tmp_path, before=before), table, AgentMetrics()).step()
        except KilledAt:
            kills += 1
        else:
            break
    assert kills == (5 if before else 3)
    assert Shipper(SegmentFolder(tmp_path), table, AgentMetrics()).step()
    assert sorted(table.rows) == sorted(set(IDS) - ({IDS[0]} if damaged else set()))
    assert [path for path in tmp_path.iterdir() if path.suffix != CORRUPT] == []


def test_what_a_frame_says_of_itself_is_believed_only_if_it_is_a_record(content: bytes) -> None:
    found = read_records(content + frame(b"[]"), said=len(IDS))
    assert (len(found.records), found.corrupt) == (len(IDS), 1)
