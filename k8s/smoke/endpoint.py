"""The seam between questions to the service and how they get there: an address, or a connection through the cluster."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
import msgspec

from k8s.errors import Misused, Unreachable


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`headers` have names in lower case; `seconds` is from the request to the whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except msgspec.DecodeError:
            return {}


class Endpoint(Protocol):
    """Port: a service that can be asked. Raises Unreachable when no answer comes."""

    @property
    def name(self) -> str: ...

    def ask(
        self, method: str, path: str, *, token: str = "", body: Mapping[str, Any] | None = None
    ) -> Answer: ...


def request_headers(token: str) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "slipway-k8s"}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


class HttpEndpoint:
    """At a URL."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self.name = url.rstrip("/")
        # Proxies of the environment are for the outside world, not for a service that was named explicitly.
        try:
            self._http = httpx.Client(base_url=self.name, timeout=timeout_seconds, trust_env=False)
        except httpx.InvalidURL as error:
            raise Misused(f"--url {url}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(
        self, method: str, path: str, *, token: str = "", body: Mapping[str, Any] | None = None
    ) -> Answer:
        began = time.perf_counter()
        try:
            answer = self._http.request(method, path, headers=request_headers(token), json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{method} {self.name}{path}: {str(error) or type(error).__name__}") from error
        return Answer(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=answer.content,
            seconds=time.perf_counter() - began,
        )
