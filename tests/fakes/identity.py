"""Users, logins and issuers in memory; they implement the ports of `auth` and record what was asked of them."""

from __future__ import annotations

import dataclasses

from auth.challenges import invalid_token
from auth.login import Account, LoginSession
from auth.principal import Principal


class MemoryUserDirectory:
    """UserDirectory and Sessions. `failure` is raised by every call while it is set."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = {account.username: account for account in accounts}
        self.asked: list[str] = []
        self.rehashed: list[int] = []
        self.sessions: list[LoginSession] = []
        self.failure: Exception | None = None

    def find(self, username: str) -> Account | None:
        self._fail()
        self.asked.append(username)
        return self.accounts.get(username)

    def find_by_id(self, user_id: int) -> Account | None:
        self._fail()
        return next((each for each in self.accounts.values() if each.user_id == user_id), None)

    def set_password_hash(self, user_id: int, password_hash: str) -> None:
        self._fail()
        self.rehashed.append(user_id)
        for name, account in self.accounts.items():
            if account.user_id == user_id:
                self.accounts[name] = dataclasses.replace(account, password_hash=password_hash)

    def record(self, session: LoginSession) -> None:
        self._fail()
        self.sessions.append(session)

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
