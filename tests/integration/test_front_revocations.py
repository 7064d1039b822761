"""A worker and the list of revocations that an agent writes: readiness, and what an old list still allows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from auth.revocations import SUBJECT, Revocation
from serving.revocation_file import RevocationFile
from tests.front_service import FLOWER, FrontService
from tests.problem_schema import problem
from tests.token_requests import post


def test_what_the_agent_writes_holds_within_a_look(tmp_path: Path) -> None:
    made = FrontService(tmp_path, models="iris", catalog="catalog")
    try:
        token = made.token()
        assert made.predict(FLOWER, **token).status_code == 200
        one = Revocation(SUBJECT, "ada", time.time() + 1, time.time() + 900)
        RevocationFile(made.settings.model_store_dir).write([one], right_at=time.time())
        made.worker.identity.revoking.follower.look()
        problem(made.predict(FLOWER, **token), 401, "token-revoked")
    finally:
        made.close()


def test_without_a_list_nobody_is_let_in_and_the_reason_is_told(tmp_path: Path) -> None:
    made = FrontService(tmp_path, models="iris", revoked=None)
    try:
        response = made.ask("GET", "/readyz")
        assert response.status_code == 503
        assert "revocations" in response.json()["reasons"]["identity"]
    finally:
        made.close()


def test_after_one_token_life_a_worker_is_ready_without_any_list(tmp_path: Path) -> None:
    made = FrontService(tmp_path, models="iris", revoked=None, jwt_access_ttl_seconds=1, jwt_leeway_seconds=0)
    try:
        give_up_at = time.monotonic() + 20
        while made.ask("GET", "/readyz").status_code != 200:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
    finally:
        made.close()


def test_an_administrator_is_refused_while_the_list_is_old(tmp_path: Path, sqlite_url: str) -> None:
    made = FrontService(tmp_path, models="iris", database_url=sqlite_url)
    try:
        admin: dict[str, Any] = made.token("admin predict")
        file = RevocationFile(made.settings.model_store_dir)
        file.still_right(time.time() - 61)
        made.worker.identity.revoking.follower.look()
        problem(post(made, "/auth/revoke", subject="bob", **admin), 503, "identity-unavailable")
        assert made.predict(FLOWER, **admin).status_code == 200
        file.still_right(time.time())
        made.worker.identity.revoking.follower.look()
        assert post(made, "/auth/revoke", subject="bob", **admin).status_code == 200
    finally:
        made.close()
