"""A worker's view of the list that its pod's agent keeps: when it counts, how old it is, and what damage does to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from auth.revocations import TOKEN, Revocation, Revocations
from modelkit.errors import IdentityUnavailable
from serving.following_revocations import RevocationFollower
from serving.revocation_file import RevocationFile
from tests.fakes.clock import FakeClock

LIFE_SECONDS = 905.0


class Desk:
    """A follower, and the hands of an agent."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.file, self.revocations = RevocationFile(folder), Revocations(clock=self.clock)
        self.path = folder / "_identity" / "revocations.json"

    def write(self, *values: str) -> None:
        entries = [Revocation(TOKEN, value, self.clock(), self.clock() + 900) for value in values]
        self.file.write(entries, right_at=self.clock())

    def follower(self) -> RevocationFollower:
        return RevocationFollower(
            self.file, self.revocations, life_seconds=LIFE_SECONDS, clock=self.clock, uptime=self.clock
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_list_of_before_makes_a_worker_ready(desk: Desk) -> None:
    desk.write("one")
    desk.clock.advance(5000)
    follower = desk.follower()
    assert (follower.unready(), desk.revocations.count) == ("", 1)
    assert follower.age == pytest.approx(5000)


def test_without_one_it_is_ready_with_the_first_or_after_one_life(desk: Desk) -> None:
    follower = desk.follower()
    assert "revocations" in follower.unready()
    desk.clock.advance(LIFE_SECONDS - 1)
    follower.look()
    assert follower.unready()
    assert follower.age == pytest.approx(LIFE_SECONDS - 1)
    desk.clock.advance(1)
    assert follower.unready() == ""
    other = desk.follower()
    desk.write()
    other.look()
    assert other.unready() == ""


def test_a_heartbeat_makes_the_list_young_and_changes_nothing_else(desk: Desk) -> None:
    desk.write("one")
    follower = desk.follower()
    told: list[str] = []
    desk.revocations.on_more(lambda: told.append("more"))
    desk.clock.advance(30)
    desk.file.still_right(desk.clock())
    follower.look()
    assert told == []
    assert follower.age < 0.001
    desk.write("one", "two")
    follower.look()
    assert (desk.revocations.count, told) == (2, ["more"])


@pytest.mark.parametrize("damage", [b"", b"{", b'{"revocations": [["token"]]}', b"\xff", b"[]"])
def test_a_damaged_list_leaves_the_last_good_one_and_its_age(desk: Desk, damage: bytes) -> None:
    desk.write("one")
    follower = desk.follower()
    desk.path.write_bytes(damage)
    desk.clock.advance(10)
    follower.look()
    assert desk.revocations.count == 1
    assert follower.age == pytest.approx(10)


def test_a_list_that_disappears_is_remembered(desk: Desk) -> None:
    desk.write("one")
    follower = desk.follower()
    desk.path.unlink()
    follower.look()
    assert (desk.revocations.count, follower.unready()) == (1, "")


def test_what_administrators_do_needs_a_list_of_the_last_minute(desk: Desk) -> None:
    desk.write()
    follower = desk.follower()
    desk.clock.advance(60)
    follower.refuse_if_stale()
    desk.clock.advance(0.1)
    with pytest.raises(IdentityUnavailable):
        follower.refuse_if_stale()


def test_a_clock_that_was_set_back_makes_no_list_old(desk: Desk) -> None:
    desk.write()
    follower = desk.follower()
    desk.clock.advance(-3600)
    assert follower.age == 0
