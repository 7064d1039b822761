"""A worker with users and a client, and the requests that get tokens from it and give them back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from auth.client_secrets import secret_hash
from auth.passwords import Passwords
from records.engine import open_engine
from records.users import add_user
from tests.auth_commands import disable
from tests.front_service import PASSWORD, FrontService

SECRET = "a secret that was made for the shop"  # of these tests
USERS = {"ada": ("predict read", "person"), "bob": ("predict", "person"), "root": ("admin", "person")}


@contextmanager
def service_with_users(folder: Path, template: Path, **settings: Any) -> Iterator[FrontService]:
    """One worker of iris, whose users all have the same password."""
    database = folder / "records.db"
    database.write_bytes(template.read_bytes())
    url = f"sqlite:///{database}"
    engine, passwords = open_engine(url), Passwords()
    for name, (scopes, kind) in {**USERS, "gone": ("predict", "person")}.items():
        add_user(engine, username=name, password_hash=passwords.hash(PASSWORD), scopes=scopes, kind=kind)
    add_user(engine, username="shop", password_hash=secret_hash(SECRET), scopes="predict", kind="client")
    disable(engine, "gone")
    engine.dispose()
    made = FrontService(folder, database_url=url, models="iris", **settings)
    try:
        yield made
    finally:
        made.close()


def post(front: FrontService, path: str, *, json: bool = False, **parameters: Any) -> httpx.Response:
    headers = {name: value for name, value in parameters.items() if name == "authorization"}
    sent = {name: value for name, value in parameters.items() if name != "authorization"}
    if json:
        return front.ask("POST", path, json=sent, headers=headers)
    return front.ask("POST", path, data=sent, headers=headers)


def log_in(front: FrontService, username: str = "ada") -> dict[str, Any]:
    response = front.ask("POST", "/login", json={"username": username, "password": PASSWORD})
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, Any]:
    return {"authorization": f"Bearer {tokens['access_token']}"}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def may(front: FrontService, tokens: dict[str, Any]) -> bool:
    return front.ask("GET", "/auth/me", headers=bearer(tokens)).status_code == 200


def refused(response: httpx.Response, status: int, error: str) -> None:
    assert (response.status_code, response.json()["error"]) == (status, error), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error_description"]
