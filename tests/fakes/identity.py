"""Users and issuers in memory; they implement the ports of `auth` and record what was asked of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from auth.challenges import invalid_token
from auth.lockout import Failures
from auth.login import Account
from auth.principal import Principal


class MemoryUserDirectory:
    """UserDirectory. `failure` is raised by every call while it is set."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = {account.username: account for account in accounts}
        self.asked: list[str] = []
        self.rehashed: list[int] = []
        self.failure: Exception | None = None
        self.before_change: Callable[[], object] = lambda: None

    def find(self, username: str) -> Account | None:
        self._fail()
        self.asked.append(username)
        return self.accounts.get(username)

    def set_password_hash(self, user_id: int, password_hash: str, *, instead_of: str) -> bool:
        self._fail()
        self.before_change()
        for name, account in self.accounts.items():
            if (account.user_id, account.password_hash) == (user_id, instead_of):
                self.rehashed.append(user_id)
                self.accounts[name] = dataclasses.replace(account, password_hash=password_hash)
                return True
        return False

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class FixedIssuer:
    """Issuer: knows the principals it was given, by token, and counts how often it was asked."""

    def __init__(self, name: str = "fixed") -> None:
        self.name = name
        self.known: dict[str, Principal | Exception] = {}
        self.asked: list[str] = []
        self.key_generation = 0

    def verify(self, token: str) -> Principal:
        self.asked.append(token)
        answer = self.known.get(token, invalid_token())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def generation(self) -> int:
        return self.key_generation


class MemoryLoginFailures:
    """FailureStore. `homes` are pairs and when they last logged in, and `failure` is raised while it is set."""

    def __init__(self) -> None:
        self.kept: dict[str, Failures] = {}
        self.homes: dict[str, float] = {}
        self.writes = 0
        self.failure: Exception | None = None

    def read(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        self._fail()
        return {key: self.kept[key] for key in keys if key in self.kept}

    def count(self, keys: Sequence[str], *, now: float, since: float, until: float) -> None:
        self._fail()
        self.writes += 1
        for key in keys:
            old = self.kept.get(key)
            before = old.count if old is not None and since <= old.last <= until else 0
            self.kept[key] = Failures(count=before + 1, last=now)

    def replace(self, key: str, old: Failures, new: Failures) -> bool:
        self._fail()
        self.writes += 1
        if self.kept.get(key) != old:
            return False
        self.kept[key] = new
        return True

    def clear(self, keys: Sequence[str]) -> None:
        self._fail()
        self.writes += 1
        for key in keys:
            self.kept.pop(key, None)

    def last_login(self, pair: str) -> float | None:
        self._fail()
        return self.homes.get(pair)

    def remember(self, pair: str, *, now: float) -> None:
        self._fail()
        self.writes += 1
        self.homes[pair] = now

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
