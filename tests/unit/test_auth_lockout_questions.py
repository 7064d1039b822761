"""What is asked before a login may be tried does not depend on whom it is about, so that no answer's time can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest

from auth.lockout import FREE_BY_ACCOUNT, Failures, Lockout, network_of
from modelkit.errors import RateLimited
from records.account_keys import pair_prefix
from tests.fakes.clock import FakeClock
from tests.fakes.identity import MemoryLoginFailures


class Asked(MemoryLoginFailures):
    """Counts what is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def read(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        self.questions.append(f"read {len(keys)}")
        return super().read(keys)

    def last_login(self, pair: str) -> float | None:
        self.questions.append("last login")
        return super().last_login(pair)


@pytest.mark.parametrize("failures", [0, FREE_BY_ACCOUNT])
@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_who_exists_and_logs_in_often_is_asked_about_as_nobody_is(name: str, failures: int) -> None:
    clock, store = FakeClock(), Asked()
    lockout = Lockout(store, clock=clock)
    for number in range(200):
        store.homes[f"{pair_prefix('ada')}{network_of(f'192.0.2.{number}')}"] = clock()
    for _ in range(failures):
        lockout.admit(username=name, address="203.0.113.9").failed()
    store.questions.clear()
    with suppress(RateLimited):
        lockout.admit(username=name, address="203.0.113.9")
    assert store.questions == ["last login", "read 2"]
