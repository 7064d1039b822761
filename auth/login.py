"""Logging in: who somebody is, proved by a name and a password, with one answer for everything that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from auth.audit import Audit, Origin, no_audit
from auth.challenges import wrong_credentials
from auth.client_secrets import is_secret
from auth.credentials import MAX_PASSWORD_LENGTH, is_username
from auth.lockout import Attempt, Lockout
from auth.passwords import Passwords
from modelkit.errors import RateLimited

PERSON = "person"
CLIENT = "client"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user as logging in sees one; `scopes` is space-separated. A `kind` logs in by its own grant only.

    `password_hash` is Argon2's for a person, and a `secret_hash` for a client.
    """

    user_id: int
    username: str
    password_hash: str = field(repr=False)
    scopes: str
    disabled: bool
    kind: str = PERSON


class UserDirectory(Protocol):
    """Port: where users are kept. Raises IdentityUnavailable when they cannot be reached."""

    def find(self, username: str) -> Account | None: ...

    def set_password_hash(self, user_id: int, password_hash: str, *, instead_of: str) -> bool:
        """False, and nothing changes, where another hash is kept by now."""


class Prover:
    """Proves who somebody is and opens nothing: that is for `auth.sessions`.

    Synchronous, and for people slow on purpose: the caller runs it in a bounded pool of threads.
    """

    def __init__(
        self, users: UserDirectory, passwords: Passwords, *, lockout: Lockout, audit: Audit = no_audit
    ) -> None:
        self._users, self._passwords = users, passwords
        self._lockout, self._audit = lockout, audit

    def __call__(self, *, username: str, password: str, origin: Origin, kind: str = PERSON) -> Account:
        """Raises Unauthenticated, RateLimited, or IdentityUnavailable when users cannot be reached."""
        attempt = None if kind == CLIENT else self._admitted(username, origin)
        found = self._users.find(username) if is_username(username) else None
        account = found if found is not None and found.kind == kind else None
        if kind == CLIENT:
            proved = is_secret("" if account is None else account.password_hash, password)
        else:
            proved = self._proves(account, password)
        if account is None or not proved or account.disabled:
            if attempt is not None:
                attempt.failed()
            self._tell("login.refused", found, origin, kind)
            raise wrong_credentials()
        if attempt is not None:
            attempt.succeeded()
            account = self._rehashed(account, password)
        self._tell("login", account, origin, kind)
        return account

    def _admitted(self, username: str, origin: Origin) -> Attempt:
        """Before anybody is looked up: who must wait learns nothing from the time that it takes, however often he asks."""
        try:
            return self._lockout.admit(username=username, address=origin.address)
        except RateLimited:
            self._tell("login.locked", None, origin, PERSON)
            raise

    def _rehashed(self, account: Account, password: str) -> Account:
        """With the hash that is kept from now on. Raises Unauthenticated where the password was changed meanwhile."""
        old = account.password_hash
        if not self._passwords.needs_rehash(old):
            return account
        new = self._passwords.hash(password)
        if self._users.set_password_hash(account.user_id, new, instead_of=old):
            return replace(account, password_hash=new)
        present = self._users.find(account.username)
        if present is None or not self._passwords.verify(present.password_hash, password):
            raise wrong_credentials()
        return present

    def _proves(self, account: Account | None, password: str) -> bool:
        """The same work whether there is such a user or not."""
        if len(password) > MAX_PASSWORD_LENGTH:
            return False
        if account is None:
            self._passwords.verify_nobody(password)
            return False
        return self._passwords.verify(account.password_hash, password)

    def _tell(self, event: str, account: Account | None, origin: Origin, kind: str) -> None:
        """Names those who exist: in the field of the name, people also type passwords."""
        subject = None if account is None else account.username
        self._audit(event, subject=subject, kind=kind, address=origin.address, request_id=origin.request_id)
