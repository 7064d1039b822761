"""Hand-over in a folder: what one agent leaves another ships, whatever breaks between upload, claim, commit and deletion."""

from __future__ import annotations

import os
import time
from pathlib import Path, PurePosixPath

import pytest
from pydantic import ValidationError

from serving.agent.handoff import Adoption, Handover
from serving.agent.handoff_store import (
    CLAIM_SECONDS,
    HandoffDamaged,
    HandoffStore,
    HandoffUnreachable,
)
from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentFolder
from serving.agent.shipper import Delivery
from serving.settings import Settings
from serving.spool import CORRUPT, OPEN, SEALED, frame
from tests.fakes.clock import FakeClock
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.prediction_records import encode_record, figure, made_record, payloads

SECONDS = 20.0


class Pod:
    """One pod's spool and agent, beside a place that it shares with others."""

    def __init__(
        self, spool: Path, place: Path, *, keep_days: float = 90, clock: FakeClock | None = None
    ) -> None:
        spool.mkdir()
        self.spool, self.place = spool, place
        self.table, self.metrics = MemoryPredictionTable(), AgentMetrics()
        self.store = HandoffStore(place.as_uri())
        self.handover = Handover(SegmentFolder(spool), self.store, self.metrics.handoff)
        self.adoption = Adoption(
            self.store,
            Delivery(self.table, self.metrics),
            self.metrics.handoff,
            keep_days=keep_days,
            clock=clock or time.time,
        )

    def seal(self, *ids: str, suffix: str = SEALED) -> Path:
        path = self.spool / f"w-{ids[0]}-{len(ids)}{suffix}"
        path.write_bytes(b"".join(map(frame, payloads(*ids))))
        return path

    def segments(self, result: str) -> float:
        return figure(self.metrics.registry, "slipway_handoff_segments_total", result=result)

    def waiting(self) -> float:
        return figure(self.metrics.registry, "slipway_handoff_waiting_segments")


@pytest.fixture
def pods(tmp_path: Path) -> tuple[Pod, Pod]:
    place = tmp_path / "place"
    return Pod(tmp_path / "ending", place), Pod(tmp_path / "living", place)


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_a_pod_leaves_another_ships_and_then_it_is_nowhere_else(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    ending.seal("p-1", "p-2")
    ending.seal("p-3").rename(ending.spool / f"killed{OPEN}")
    assert ending.handover.run(SECONDS) == 0
    assert left(ending.spool) == []
    assert len(left(ending.place / "segments")) == ending.segments("handed_over") == 2
    living.adoption.step()
    assert sorted(living.table.rows) == ["p-1", "p-2", "p-3"]
    assert left(ending.place) == []
    assert (living.segments("adopted"), living.waiting()) == (2, 0)
    assert figure(living.metrics.registry, "slipway_agent_records_total", result="committed") == 3


def test_names_say_what_is_inside_and_nothing_about_whom(pods: tuple[Pod, Pod]) -> None:
    ending, _ = pods
    for _ in range(2):  # killed between the upload and the deletion
        ending.seal("p-secret")
        ending.handover.run(SECONDS)
    (name,) = left(ending.place)
    assert name.startswith("segments/")
    assert name.endswith("-1.sealed")
    assert "secret" not in name
    assert len(PurePosixPath(name).stem) == 64 + len("-1")


def test_a_place_that_refuses_leaves_everything_in_the_spool(tmp_path: Path) -> None:
    place = tmp_path / "place"
    ending = Pod(tmp_path / "ending", place)
    path = ending.seal("p-1")
    place.mkdir()
    (place / "segments").write_text("in the way")
    assert ending.handover.run(SECONDS) == 1
    assert path.exists()
    assert ending.segments("failed") == 1


def test_no_time_means_that_all_of_it_is_left_behind(pods: tuple[Pod, Pod]) -> None:
    ending, _ = pods
    path = ending.seal("p-1")
    assert ending.handover.run(-1.0) == 1
    assert path.exists()


def test_while_sql_is_away_it_waits_is_seen_to_wait_and_is_nobodys(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    ending.seal("p-1")
    ending.handover.run(SECONDS)
    living.table.unreachable = True
    living.adoption.step()
    assert living.waiting() == 1
    assert [name.split("/")[0] for name in left(ending.place)] == ["segments"]
    living.table.unreachable = False
    living.adoption.step()
    assert (list(living.table.rows), living.waiting()) == (["p-1"], 0)


def test_a_connection_lost_after_the_commit_makes_no_second_row(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    ending.seal("p-1")
    ending.handover.run(SECONDS)
    living.table.lost_answers = 1
    living.adoption.step()
    living.adoption.step()
    assert (living.table.batches, list(living.table.rows)) == ([["p-1"], ["p-1"]], ["p-1"])
    assert figure(living.metrics.registry, "slipway_agent_records_total", result="repeated") == 1


def test_what_another_agent_is_shipping_is_left_to_it_until_it_has_had_time_enough(
    pods: tuple[Pod, Pod],
) -> None:
    ending, living = pods
    ending.seal("p-1")
    ending.handover.run(SECONDS)
    (segment,) = living.store.waiting()
    assert ending.store.claim(segment.name)
    assert not living.store.claim(segment.name)
    living.adoption.step()
    assert living.table.rows == {}
    (claim,) = (ending.place / "claims").iterdir()
    os.utime(claim, (time.time() - CLAIM_SECONDS - 1,) * 2)
    living.adoption.step()
    assert list(living.table.rows) == ["p-1"]
    assert left(ending.place) == []


class Dying(HandoffStore):
    """Its agent ends where it would delete a segment."""

    def delete(self, name: PurePosixPath) -> None:
        raise SystemExit


def test_an_agent_that_dies_after_the_commit_leaves_no_claim_and_the_segment_is_shipped_again(
    pods: tuple[Pod, Pod],
) -> None:
    ending, living = pods
    ending.seal("p-1")
    ending.handover.run(SECONDS)
    delivery = Delivery(living.table, living.metrics)
    dying = Adoption(Dying(living.place.as_uri()), delivery, living.metrics.handoff, keep_days=90)
    with pytest.raises(SystemExit):
        dying.step()
    assert [name.split("/")[0] for name in left(ending.place)] == ["segments"]
    living.adoption.step()
    assert (list(living.table.rows), left(ending.place)) == (["p-1"], [])


def test_what_sql_refuses_is_kept_for_a_person_and_the_rest_is_shipped(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    path = ending.seal("p-1", "p-2")
    refused = made_record("p-2", created_at=1e300)
    path.write_bytes(frame(payloads("p-1")[0]) + frame(encode_record(refused)))
    ending.handover.run(SECONDS)
    living.adoption.step()
    assert list(living.table.rows) == ["p-1"]
    assert living.segments("refused") == 1
    assert [name.split("/")[0] for name in left(ending.place)] == ["corrupt"]


def test_what_is_not_what_its_name_says_is_never_shipped(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    ending.seal("p-1")
    ending.handover.run(SECONDS)
    (name,) = left(ending.place)
    (ending.place / name).write_bytes(frame(payloads("p-forged")[0]))
    with pytest.raises(HandoffDamaged):
        living.store.content(PurePosixPath(name))
    living.adoption.step()
    living.adoption.step()
    assert living.table.rows == {}
    assert living.segments("corrupt") == 1
    assert left(ending.place) == [name.replace("segments/", "corrupt/").replace(SEALED, CORRUPT)]


def test_damage_that_came_along_is_counted_and_kept_for_a_person(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    path = ending.seal("p-1", "p-2")
    path.write_bytes(path.read_bytes()[:-5])
    ending.handover.run(SECONDS)
    living.adoption.step()
    assert list(living.table.rows) == ["p-1"]
    assert figure(living.metrics.registry, "slipway_agent_records_total", result="corrupt") == 1
    assert [name.split("/")[0] for name in left(ending.place)] == ["corrupt"]


def test_segments_set_aside_go_along_and_are_forgotten_like_those_of_a_pod(pods: tuple[Pod, Pod]) -> None:
    ending, living = pods
    ending.seal("p-1", suffix=CORRUPT)
    assert ending.handover.run(SECONDS) == 0
    living.adoption.step()
    assert living.table.rows == {}
    assert living.store.set_aside_before(time.time() - 60) == []
    (old,) = living.store.set_aside_before(time.time() + 60)
    living.store.delete(old)
    living.store.delete(old)
    assert left(ending.place) == []


def test_what_waited_longer_than_records_are_kept_is_deleted_unread(tmp_path: Path) -> None:
    clock = FakeClock(time.time() + 91 * 86_400)
    pod = Pod(tmp_path / "pod", tmp_path / "place", keep_days=90, clock=clock)
    pod.seal("p-1")
    pod.handover.run(SECONDS)
    pod.adoption.step()
    assert (pod.table.rows, pod.segments("expired"), left(pod.place)) == ({}, 1, [])


def test_a_place_that_cannot_be_asked_is_counted(tmp_path: Path) -> None:
    pod = Pod(tmp_path / "pod", tmp_path / "place")
    (tmp_path / "place").write_text("no folder")
    with pytest.raises(HandoffUnreachable):
        pod.store.waiting()
    pod.adoption.step()
    assert figure(pod.metrics.registry, "slipway_handoff_store_failures_total") == 1
    (tmp_path / "place").unlink()
    pod.adoption.step()
    assert pod.waiting() == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "s3://",
        "s3://key:secret@bucket/x",
        "az://container/folder?sig=secret",
        "bucket",
        "s3://b/x#y",
    ],
)
def test_a_place_that_is_none_or_names_a_secret_stops_at_the_door_without_repeating_it(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(spool_handoff_url=url)
    assert "secret" not in str(caught.value)


def test_a_place_in_azure_is_a_container_and_its_account_is_a_variable(tmp_path: Path) -> None:
    mounted = tmp_path / "credentials"
    mounted.write_text("AZURE_STORAGE_ACCOUNT_NAME=records\nAZURE_STORAGE_ACCOUNT_KEY=a2V5\n")
    made = repr(HandoffStore("az://container/some/folder", credentials=mounted)._make())
    assert made == 'AzureStore(container_name="container", account_name="records", prefix="some/folder")'
