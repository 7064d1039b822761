"""People who log in to a worker for real, and what they hold then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.front_service import PASSWORD, FrontService


@dataclass(frozen=True)
class Caller:
    """`address` is where the trusted proxy says that requests come from."""

    service: FrontService
    name: str
    tokens: dict[str, Any]
    address: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens['access_token']}", "x-forwarded-for": self.address}

    @property
    def session_id(self) -> str:
        return str(self.ask("GET", "/auth/me").json()["session_id"])

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return self.service.ask(method, path, headers=self.bearer, **parts)

    def is_let_in(self) -> bool:
        return self.ask("GET", "/auth/me").status_code == 200


def log_in(service: FrontService, name: str, *, address: str = "192.0.2.10") -> Caller:
    response = service.ask(
        "POST",
        "/login",
        json={"username": name, "password": PASSWORD},
        headers={"x-forwarded-for": address},
    )
    assert response.status_code == 200, response.text
    return Caller(service, name, response.json(), address)


def refresh(service: FrontService, token: str, **parameters: str) -> httpx.Response:
    sent = {"grant_type": "refresh_token", "refresh_token": token, **parameters}
    return service.ask("POST", "/auth/token", data=sent)


def but_for_its_id(response: httpx.Response) -> tuple[Any, ...]:
    """An answer as whoever compares two of them sees it."""
    request_id, own = response.headers["x-request-id"], ("x-request-id", "traceparent")
    headers = sorted((name, value) for name, value in response.headers.items() if name not in own)
    return response.status_code, headers, response.text.replace(request_id, "")
