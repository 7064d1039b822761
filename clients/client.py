"""A small client, so that programs and tests speak about predictions and not about HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec


class RequestFailed(Exception):
    """The service answered with something other than success, or did not answer."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /predict/{model}` answers for one row."""

    prediction: Any
    model: str
    model_version: str
    prediction_id: str
    cached: bool


class SlipwayClient:
    """One caller of one service. Use it as a context manager; log in before predicting."""

    def __init__(self, base_url: str, *, timeout_seconds: float = 10.0) -> None:
        # Proxies of the environment are for the outside world, not for a service that was named explicitly.
        self._http = httpx.Client(base_url=base_url, timeout=timeout_seconds, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def log_in(self, username: str, password: str) -> None:
        """Later calls carry the token."""
        answer = self._call("POST", "/login", body={"username": username, "password": password})
        token = msgspec.json.decode(answer.content, type=dict[str, Any])["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def predict(self, model: str, row: Mapping[str, Any]) -> Answer:
        return msgspec.json.decode(self._call("POST", f"/predict/{model}", body=row).content, type=Answer)

    def metrics(self) -> str:
        return self._call("GET", "/metrics").text

    def is_ready(self) -> bool:
        """Whether every required model answers. False also when nobody listens yet."""
        try:
            return self._http.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _call(self, method: str, path: str, *, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise RequestFailed(f"{method} {path}: {type(error).__name__}: {error}") from error
        if not answer.is_success:
            raise RequestFailed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer
