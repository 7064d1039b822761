"""When the agent asks other issuers for their keys: now and then, at once when one is missed, gently when it fails."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from auth.jwk_sets import JwkSet, parse_jwk_set
from auth.policy import ExternalIssuer, PolicyFile
from serving.agent.key_fetch import KeysRefused
from serving.agent.key_schedule import JITTER, LONGEST_RETRY_SECONDS, Pace
from serving.agent.key_sets import FORGET_SECONDS, KeySets, Told
from serving.identity_folder import IdentityFolder
from tests.fakes.clock import FakeClock
from tests.fakes.provider_keys import Signer
from tests.fakes.trail import Trail

REFRESH, COOLDOWN = 300.0, 30.0


def block(name: str, path: str = "jwks") -> str:
    iss = f"https://{name}.example"
    return f'[[issuers]]\nname = "{name}"\nissuer = "{iss}"\njwks_url = "{iss}/{path}"\n'


class Agent:
    """The chore, a clock that a test moves, and providers that answer or do not."""

    def __init__(self, folder: Path, text: str = block("corp")) -> None:
        self.clock, self.path = FakeClock(1000.0), folder / "policy.toml"
        self.path.write_text(text)
        self.folder = IdentityFolder(folder / "store")
        self.asked: Counter[str] = Counter()
        self.counted: Counter[tuple[str, str]] = Counter()
        self.failure: Exception | None = None
        self.trail = Trail()
        self.signers = [Signer()]
        self.start()

    def start(self) -> None:
        """Anew, as after a restart of the agent: what is on disk stays."""
        policy = PolicyFile(self.path, audience="slipway", own_issuer="slipway", clock=self.clock)
        pace = Pace(refresh_seconds=REFRESH, cooldown_seconds=COOLDOWN, clock=self.clock)
        told = Told(counted=self.count, audit=self.trail)
        self.sets = KeySets(policy, self.folder, pace, told=told, fetch=self.fetch)

    def count(self, issuer: str, result: str) -> None:
        self.counted[issuer, result] += 1

    def fetch(self, issuer: ExternalIssuer) -> JwkSet:
        self.asked[issuer.name] += 1
        if self.failure is not None:
            raise self.failure
        return parse_jwk_set(json.dumps({"keys": [signer.public() for signer in self.signers]}).encode())

    def run(self, seconds: float, step: float = 0.5) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += step
            self.sets.step()

    def kids(self, name: str = "corp") -> list[str]:
        policy = PolicyFile(self.path, audience="slipway", own_issuer="slipway")
        issuer = policy.current().issuer(name)
        stored = self.folder.read_keys(issuer) if issuer is not None else None
        return [] if stored is None else [key.kid for key in stored.jwk_set.keys]


def test_keys_are_there_after_the_first_step(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    assert agent.kids() == [Signer().kid]
    assert agent.counted == {("corp", "ok"): 1}


def test_they_are_asked_for_again_now_and_then(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.run(REFRESH * (1 - JITTER) - 1)
    assert agent.asked["corp"] == 1
    agent.run(REFRESH * JITTER + 2)
    assert agent.asked["corp"] == 2


def test_other_keys_leave_an_event_and_the_same_ones_none(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.run(2 * REFRESH)
    assert agent.trail.of("keys.changed") == [{"issuer": "corp", "kids": Signer().kid}]
    agent.signers = [Signer(), Signer("ES256")]
    agent.run(REFRESH)
    assert len(agent.trail.of("keys.changed")) == 2


def test_a_missed_key_is_asked_for_at_once(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.signers = [Signer("RS256", "second")]
    agent.folder.want("corp")
    agent.run(0.5)
    assert agent.kids() == [Signer("RS256", "second").kid]


def test_a_flood_of_unknown_keys_is_heard_once_per_cooldown(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    for _ in range(200):
        agent.folder.want("corp")
        agent.run(0.5)
    assert agent.asked["corp"] <= 1 + 1 + 100 / COOLDOWN


def test_who_missed_a_key_during_the_cooldown_is_heard_after_it(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.folder.want("corp")
    agent.run(1)
    agent.signers = [Signer("RS256", "second")]
    agent.folder.want("corp")
    agent.run(COOLDOWN - 2)
    assert agent.kids() == [Signer().kid]
    agent.run(3)
    assert agent.kids() == [Signer("RS256", "second").kid]


def test_a_provider_that_is_down_is_asked_more_and_more_rarely_and_its_keys_stay(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.run(REFRESH)
    fetched = agent.asked["corp"]
    agent.failure = OSError("down")
    agent.run(REFRESH + 600)
    assert 8 <= agent.asked["corp"] - fetched <= 8 + 900 / (LONGEST_RETRY_SECONDS * (1 - JITTER))
    assert agent.kids() == [Signer().kid]
    assert agent.counted["corp", "error"] == agent.asked["corp"] - fetched


def test_it_is_back_soon_after_the_provider_is(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.failure = KeysRefused("it answered 503")
    agent.run(600)
    assert agent.kids() == []
    agent.failure = None
    agent.run(LONGEST_RETRY_SECONDS + 1)
    assert agent.kids() == [Signer().kid]
    assert agent.counted["corp", "refused"] > 0


def test_a_wish_is_heard_while_the_provider_is_given_time(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.failure = OSError("down")
    agent.run(600)
    agent.failure = None
    agent.folder.want("corp")
    agent.run(0.5)
    assert agent.kids() == [Signer().kid]


def test_keys_of_an_earlier_life_are_not_asked_for_before_their_time(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.failure = OSError("down")
    agent.start()
    agent.sets.step()
    assert agent.kids() == [Signer().kid]
    agent.run(REFRESH + 1)
    assert agent.asked["corp"] >= 2


def test_an_issuer_that_the_policy_adds_is_asked_without_a_restart(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.path.write_text(block("corp") + block("two"))
    agent.run(2)
    assert agent.kids("two") == [Signer().kid]


def test_an_issuer_that_moves_is_asked_at_its_new_place(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.path.write_text(block("corp", "keys"))
    assert agent.kids() == []
    agent.run(2)
    assert agent.kids() == [Signer().kid]


def test_keys_of_an_issuer_that_is_gone_are_forgotten_after_a_day(tmp_path: Path) -> None:
    agent = Agent(tmp_path, block("corp") + block("two"))
    agent.sets.step()
    agent.path.write_text(block("two"))
    agent.run(2 * REFRESH)
    left = agent.folder.path / "keys-corp.json"
    assert left.exists()
    long_ago = time.time() - FORGET_SECONDS - 1
    os.utime(left, (long_ago, long_ago))
    agent.run(REFRESH + 1)
    assert [path.name for path in agent.folder.path.glob("keys-*")] == ["keys-two.json"]


def test_old_keys_of_an_issuer_that_is_believed_stay(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.failure = OSError("down")
    long_ago = time.time() - FORGET_SECONDS - 1
    os.utime(agent.folder.path / "keys-corp.json", (long_ago, long_ago))
    agent.run(2 * REFRESH)
    assert agent.kids() == [Signer().kid]


def test_a_policy_that_is_empty_for_a_moment_costs_no_keys(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.sets.step()
    agent.failure = OSError("down")
    agent.path.write_text("")
    agent.run(2)
    agent.path.write_text(block("corp"))
    agent.run(2)
    assert agent.kids() == [Signer().kid]


def test_a_question_that_cannot_be_asked_is_asked_later(tmp_path: Path) -> None:
    def no_thread(_: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    agent = Agent(tmp_path)
    with pytest.raises(RuntimeError):
        agent.sets.step(no_thread)
    agent.run(2)
    assert agent.kids() == [Signer().kid]


def test_an_answer_that_comes_after_the_issuer_has_moved_is_dropped(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    waiting: list[Callable[[], None]] = []
    agent.sets.step(waiting.append)
    agent.path.write_text(block("corp", "keys"))
    agent.clock.now += 2
    agent.sets.step(waiting.append)
    old, new = waiting
    new()
    agent.signers = [Signer("RS256", "second")]
    old()
    assert agent.kids() == [Signer().kid]


def test_an_issuer_is_asked_one_question_at_a_time(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    waiting: list[Callable[[], None]] = []
    agent.sets.step(waiting.append)
    for _ in range(5):
        agent.folder.want("corp")
        agent.clock.now += COOLDOWN
        agent.sets.step(waiting.append)
    assert len(waiting) == 1
    waiting[0]()
    agent.sets.step(waiting.append)
    assert len(waiting) == 1, "the answer was given after the wish"
