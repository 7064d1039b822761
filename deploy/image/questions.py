"""What a client asks a running image over HTTP, and what it must be told."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.image.expectation import Expectation
from deploy.image.trial import Report

POLL_SECONDS = 0.25
FIELDS = {"prediction", "lower", "upper", "units", "model", "model_version", "prediction_id", "cached"}


@dataclass(frozen=True)
class Client:
    """One user of the API on loopback."""

    port: int
    user: str
    password: str
    expected: Expectation

    def becomes_ready(self, *, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self._ask("GET", "/readyz").status_code == 200:
                    return True
            except httpx.HTTPError:  # nobody listens yet
                pass
            time.sleep(POLL_SECONDS)
        return False

    def check(self, report: Report) -> None:
        path, payload = self.expected.path, self.expected.payload
        report.equal("GET /livez", self._ask("GET", "/livez").status_code, 200)
        report.equal(f"POST {path} without a token", self._ask("POST", path, payload).status_code, 401)
        wrong = {"username": self.user, "password": "not this one"}
        report.equal("login with a wrong password", self._ask("POST", "/login", wrong).status_code, 401)
        login = self._ask("POST", "/login", {"username": self.user, "password": self.password})
        report.equal("login", login.status_code, 200)
        token = str(login.json().get("access_token", "")) if login.status_code == 200 else ""
        self._check_answer(report, token)
        nonsense = {**payload, next(iter(payload)): "x"}
        report.equal(f"POST {path} with nonsense", self._ask("POST", path, nonsense, token).status_code, 400)
        metrics = self._ask("GET", "/metrics", token=token)
        report.equal("/metrics is not on the API port", metrics.status_code, 404)

    def _check_answer(self, report: Report, token: str) -> None:
        path, payload, numbers = self.expected.path, self.expected.payload, self.expected.numbers
        answer = self._ask("POST", path, payload, token)
        report.equal(f"POST {path}", answer.status_code, 200)
        body: dict[str, Any] = answer.json()
        report.equal("structure of the answer", sorted(body), sorted(FIELDS))
        report.equal("the numbers are the model's own", {name: body.get(name) for name in numbers}, numbers)
        report.equal("it names the version that it carries", body.get("model_version"), self.expected.version)
        again = self._ask("POST", path, payload, token).json()
        same = {name: again.get(name) for name in numbers} == numbers
        report.note(
            "asked again, the cache answers the same",
            again.get("cached"),
            passed=same and again.get("cached") is True,
        )

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, token: str = ""
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, address, json=body, headers=headers, timeout=10, trust_env=False)
