"""A small client, so that programs and tests speak about predictions and not about HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from clients.credentials import Credentials, NotLetIn, Password, bearer

LONGEST_WAIT_SECONDS = 30.0


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
    """One caller of one service. Use it as a context manager; give it credentials, or log in before predicting.

    What is refused for its rate (429) is asked once more after as long as `Retry-After` says. A token that is refused is
    replaced and the question asked once more: keys are exchanged, and sessions end.
    """

    def __init__(
        self,
        base_url: str,
        *,
        credentials: Credentials | None = None,
        timeout_seconds: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Proxies of the environment are for the outside world, not for a service that was named explicitly.
        self._http = httpx.Client(base_url=base_url, timeout=timeout_seconds, trust_env=False)
        self._credentials, self._sleep = credentials, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def log_in(self, username: str, password: str) -> None:
        """Later calls carry a token, which is renewed before it runs out."""
        self._credentials = Password(username, password)
        self._authorization()

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
        answer = self._ask(method, path, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._credentials is not None:
            self._credentials.refused()
            answer = self._ask(method, path, body)
        elif answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            wait = _retry_after(answer)
            if wait <= LONGEST_WAIT_SECONDS:
                self._sleep(wait)
                answer = self._ask(method, path, body)
        if not answer.is_success:
            raise RequestFailed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        headers = self._authorization()
        try:
            return self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise RequestFailed(f"{method} {path}: {type(error).__name__}: {error}") from error

    def _authorization(self) -> Mapping[str, str]:
        if self._credentials is None:
            return {}
        try:
            return bearer(self._credentials.token(self._http))
        except NotLetIn as error:
            raise RequestFailed(str(error)) from error


def _retry_after(answer: httpx.Response) -> float:
    """Seconds; a second where the service does not say."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 1.0
