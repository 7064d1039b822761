"""Where a caller's tokens come from, so that a client never asks with one that has just run out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec

RENEW_AFTER = 0.8  # of a token's life: what is left is for slow networks and clocks that differ
REREAD_SECONDS = 10.0


class NotLetIn(Exception):
    """No token could be had."""


class Credentials(Protocol):
    """Port: a token that is good now. Raises NotLetIn."""

    def token(self, http: httpx.Client) -> str: ...

    def refused(self) -> None:
        """The service did not take the last one: another must be found."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What a token endpoint answers (RFC 6749), as far as it matters here."""

    access_token: str
    expires_in: float
    refresh_token: str = ""


class TokenFile:
    """For pods: the token of their ServiceAccount, which the kubelet renews in place."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._token, self._read_at = "", 0.0

    def token(self, http: httpx.Client) -> str:
        if not self._token or self._clock() - self._read_at >= REREAD_SECONDS:
            try:
                self._token = self._path.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise NotLetIn(f"{self._path}: {type(error).__name__}") from error
            self._read_at = self._clock()
        return self._token

    def refused(self) -> None:
        self._token = ""


class _Renewed:
    """A token that is fetched, and fetched again before it runs out."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: Issued | None = None
        self._renew_at = 0.0

    def token(self, http: httpx.Client) -> str:
        if self._issued is None or self._clock() >= self._renew_at:
            self._issued = self._fetch(http, self._issued)
            self._renew_at = self._clock() + RENEW_AFTER * self._issued.expires_in
        return self._issued.access_token

    def refused(self) -> None:
        """Not forgotten: its refresh token may still be good."""
        self._renew_at = 0.0

    def _fetch(self, http: httpx.Client, last: Issued | None) -> Issued:
        raise NotImplementedError


class ClientSecret(_Renewed):
    """For programs outside of the cluster: OAuth2 client credentials."""

    def __init__(
        self, client_id: str, secret: str, *, scope: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock=clock)
        self._login = httpx.BasicAuth(client_id, secret)
        self._form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}

    def _fetch(self, http: httpx.Client, last: Issued | None) -> Issued:
        return _issued(_post(http, "/auth/token", data=self._form, auth=self._login))


class Password(_Renewed):
    """For people: logs in once, then refreshes; when the session is over it logs in again."""

    def __init__(self, username: str, password: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        self._body = {"username": username, "password": password}

    def _fetch(self, http: httpx.Client, last: Issued | None) -> Issued:
        if last is not None and last.refresh_token:
            answer = _post(http, "/auth/refresh", json={"refresh_token": last.refresh_token})
            if answer.is_success or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                return _issued(answer)
        return _issued(_post(http, "/login", json=self._body))


def _post(http: httpx.Client, path: str, **what: Any) -> httpx.Response:
    try:
        return http.post(path, **what)
    except httpx.TransportError as error:
        raise NotLetIn(f"POST {path}: {type(error).__name__}: {error}") from error


def _issued(answer: httpx.Response) -> Issued:
    """Raises NotLetIn, with what the service said and not with what it was told."""
    if not answer.is_success:
        raise NotLetIn(f"POST {answer.url.path}: {answer.status_code} {answer.text[:500]}")
    try:
        return msgspec.json.decode(answer.content, type=Issued)
    except msgspec.DecodeError as error:
        raise NotLetIn(f"POST {answer.url.path}: no token in the answer ({error})") from error


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
