"""The corpus again, brought to a worker that serves: what it answers, what it asks, and how much it does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from serving.identity_folder import IdentityFolder
from tests.attacks.conftest import fetch_keys
from tests.attacks.corpus.libraries import good_tokens
from tests.attacks.corpus.minting import Mint
from tests.attacks.corpus.mints import AUDIENCE, POLICY, corp, everybody, own_shared
from tests.attacks.corpus.signatures import algorithms, key_tricks, signatures
from tests.fakes.http_service import HttpService, Said
from tests.front_service import FLOWER, FrontService
from tests.problem_schema import problem

BELIEVED = [mint for mint in everybody() if mint.name not in ("own RS256", "own ES256", "own EdDSA")]
EVERYBODY = pytest.mark.parametrize("mint", BELIEVED, ids=lambda mint: mint.name)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@EVERYBODY
def test_good_tokens_open_a_served_worker(fortress: FrontService, mint: Mint) -> None:
    today = mint.now()
    for name in ("by hand", "by PyJWT", "by joserfc"):
        answer = fortress.ask_raw("GET", "/auth/me", bearer(good_tokens(today)[name]))
        assert answer.status_code == 200, name


@EVERYBODY
def test_bad_tokens_get_one_answer_and_nobody_else_is_asked(fortress: FrontService, mint: Mint) -> None:
    today = mint.now()
    with HttpService(lambda _: Said()) as listener:
        tokens = key_tricks(today, listener=listener.url) | signatures(today) | algorithms(today)
        unknown = [name for name, token in tokens.items() if name.startswith("kid")]
        said = {
            name: fortress.ask_raw("GET", "/auth/me", bearer(token))
            for name, token in tokens.items()
            if token.isascii() and name not in unknown
        }
    assert len(said) >= 60
    for name, answer in said.items():
        assert problem(answer, 401, "unauthenticated")["detail"] == "the token is not valid", name
        assert answer.headers["www-authenticate"] == 'Bearer realm="slipway", error="invalid_token"'
    assert listener.asked == []


def test_a_token_counts_only_in_its_header(fortress: FrontService) -> None:
    token = own_shared().now().good
    assert fortress.ask_raw("GET", "/auth/me", {"authorization": f"bearer {token}"}).status_code == 200
    for name in ("access_token", "token", "bearer", "jwt", "authorization", "Authorization"):
        for path in ("/auth/me", "/models"):
            assert fortress.ask_raw("GET", path, query=f"{name}={token}").status_code == 401
            assert fortress.ask_raw("GET", path, {"cookie": f"{name}={token}"}).status_code == 401
            assert fortress.ask_raw("GET", path, {f"x-{name}": f"Bearer {token}"}).status_code == 401
        form = f"{name}={quote(token)}".encode()
        sent = {"content-type": "application/x-www-form-urlencoded"}
        assert fortress.ask_raw("POST", "/predict/iris", sent, form).status_code == 401
        body = json.dumps({**FLOWER, name: token}).encode()
        assert fortress.ask_raw("POST", "/predict/iris", {}, body).status_code == 401


@pytest.mark.parametrize("second", ["{}", "Bearer x", "Basic YTpi", ""])
def test_two_authorization_headers_are_none(fortress: FrontService, second: str) -> None:
    good = f"Bearer {own_shared().now().good}"
    pair = [("authorization", good), ("authorization", second.format(good))]
    for headers in (pair, pair[::-1]):
        problem(fortress.ask_raw("GET", "/auth/me", headers), 401, "unauthenticated")


def test_a_flood_of_unknown_keys_is_asked_about_once_and_holds_nobody_up(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    fetch_keys(tmp_path / "store", policy)
    front = FrontService(
        tmp_path,
        models="iris",
        auth_policy_file=policy,
        jwt_audience=AUDIENCE,
        jwks_cooldown_seconds=3600,
    )
    wishes = IdentityFolder(front.settings.model_store_dir)
    today = corp().now()
    tokens = [today.token(header={"kid": f"made-up-{number}"}) for number in range(300)]

    async def flood() -> tuple[list[int], list[int]]:
        async def ask(token: str) -> int:
            return (await front.client.get("/auth/me", headers=bearer(token))).status_code

        waiting = [asyncio.create_task(ask(token)) for token in tokens]
        await asyncio.sleep(0)
        others = [await ask(own_shared().now().good), await ask(today.good)]
        return [await task for task in waiting], others

    refused, others = front.runner.run(flood())
    asked = wishes.wanted_stamp("corp")
    assert set(refused) == {401}
    assert others == [200, 200]
    for token in tokens:
        assert front.ask_raw("GET", "/auth/me", bearer(token)).status_code == 401
    front.close()
    assert asked > 0
    assert wishes.wanted_stamp("corp") == asked
