"""A wall clock that is set an hour forward or back while the service runs: what uses it, and what does not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from auth.keys import SecretKeys
from auth.revocations import TOKEN, Revocation, Revocations
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import IdentityUnavailable, SlipwayError
from serving.adapters.memory_cache import MemoryCache
from serving.following_revocations import STALE_SECONDS, RevocationFollower
from serving.heartbeat import FILE, Heartbeat
from serving.identifiers import Identifiers
from serving.revocation_file import RevocationFile
from tests.fakes.clock import FakeClock

HOUR = 3600.0
KEY = "nPq8-vT2x_4Zr7Lw0kYbS6dJm3HfQ9cE1gUa"


class Desk:
    """A follower with two clocks, of which only one jumps."""

    def __init__(self, folder: Path) -> None:
        self.wall, self.uptime = FakeClock(), FakeClock(0.0)
        self.file = RevocationFile(folder)
        self.beat()
        self.follower = RevocationFollower(
            self.file, Revocations(clock=self.wall), life_seconds=900, clock=self.wall, uptime=self.uptime
        )

    def beat(self) -> None:
        self.file.write([Revocation(TOKEN, "one", self.wall(), self.wall() + 900)], right_at=self.wall())

    def pass_by(self, seconds: float) -> None:
        self.wall.advance(seconds)
        self.uptime.advance(seconds)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_identifiers_stay_unique_and_predictions_go_on(jump: float) -> None:
    clock = FakeClock()
    new_id = Identifiers(clock)
    before = {new_id() for _ in range(1000)}
    clock.advance(jump)
    after = {new_id() for _ in range(1000)}
    clock.advance(-jump)
    again = {new_id() for _ in range(1000)}
    assert len(before | after | again) == 3000


def test_a_token_ends_by_the_wall_clock_and_counts_again_when_that_is_right_again() -> None:
    clock = FakeClock()
    keys = SecretKeys(KEY, setting="JWT_SECRET_KEY")
    issuer = TokenIssuer(keys, issuer="slipway", audience="slipway", ttl_seconds=900, clock=clock)
    verifier = JwtVerifier(keys, issuer="slipway", audience="slipway", clock=clock)
    token = issuer.issue(subject="ada", scopes=frozenset({"predict"})).access_token
    for jump in (HOUR, -HOUR):
        clock.advance(jump)
        with pytest.raises(SlipwayError):
            verifier.verify(token)
        clock.advance(-jump)
        assert verifier.verify(token).subject == "ada"


def test_cached_answers_live_by_a_clock_that_never_jumps() -> None:
    uptime = FakeClock(0.0)
    cache = MemoryCache[str](max_entries=1, clock=uptime)
    cache.put(b"key", "said", ttl_seconds=60)
    uptime.advance(59)
    assert cache.get(b"key") == "said"
    uptime.advance(2)
    assert cache.get(b"key") is None


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_list_of_revocations_is_fresh_again_with_the_next_beat(tmp_path: Path, jump: float) -> None:
    desk = Desk(tmp_path)
    desk.wall.advance(jump)
    desk.pass_by(0.5)
    desk.beat()
    desk.follower.look()
    assert desk.follower.age < 1
    desk.follower.refuse_if_stale()


def test_a_clock_that_was_set_back_does_not_make_an_old_list_fresh(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.wall.advance(-HOUR)
    desk.pass_by(STALE_SECONDS + 1)  # and the agent is dead
    desk.follower.look()
    with pytest.raises(IdentityUnavailable):
        desk.follower.refuse_if_stale()


def test_a_clock_that_was_set_back_does_not_make_a_dead_agent_live(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path)
    heartbeat.beat()
    assert heartbeat.is_fresh()
    ahead = time.time() + HOUR
    os.utime(tmp_path / FILE, (ahead, ahead))
    assert not heartbeat.is_fresh()
    heartbeat.beat()
    assert heartbeat.is_fresh()
