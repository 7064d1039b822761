"""The corpus of tokens once more, over gRPC: one gate stands before every protocol, and here is that it does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest
from grpc import StatusCode, aio

from tests.attacks.conftest import fetch_keys
from tests.attacks.corpus.bad_tokens import bad_tokens
from tests.attacks.corpus.libraries import good_tokens
from tests.attacks.corpus.minting import Mint
from tests.attacks.corpus.mints import AUDIENCE, POLICY, everybody
from tests.grpc_front import GrpcFront
from tests.grpc_requests import flowers

BELIEVED = [mint for mint in everybody() if mint.name not in ("own RS256", "own ES256", "own EdDSA")]
EVERYBODY = pytest.mark.parametrize("mint", BELIEVED, ids=lambda mint: mint.name)
AT_ONCE = 50


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcFront]:
    folder = tmp_path_factory.mktemp("grpc")
    policy = folder / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    fetch_keys(folder / "store", policy)
    made = GrpcFront(folder, auth_policy_file=policy, jwt_audience=AUDIENCE, jwks_cooldown_seconds=3600)
    yield made
    made.close()


def codes(front: GrpcFront, tokens: Mapping[str, str]) -> dict[str, StatusCode]:
    method = front.method("ModelInfer")

    async def code(token: str) -> StatusCode:
        try:
            await method(flowers(), metadata=[("authorization", f"Bearer {token}")])
        except aio.AioRpcError as error:
            return error.code()
        return StatusCode.OK

    async def asked() -> dict[str, StatusCode]:
        found: dict[str, StatusCode] = {}
        names = list(tokens)
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            found |= zip(some, await asyncio.gather(*(code(tokens[name]) for name in some)), strict=True)
        return found

    return front.run(asked())


def sendable(tokens: Mapping[str, str]) -> dict[str, str]:
    """A client of gRPC refuses to send the rest."""
    return {name: token for name, token in tokens.items() if token.isascii() and token.isprintable()}


@EVERYBODY
def test_good_tokens_open_the_door(front: GrpcFront, mint: Mint) -> None:
    good = good_tokens(mint.now())
    said = codes(front, {name: good[name] for name in ("by hand", "by PyJWT", "by joserfc")})
    assert set(said.values()) <= {StatusCode.OK, StatusCode.PERMISSION_DENIED}, said


@EVERYBODY
def test_bad_tokens_do_not(front: GrpcFront, mint: Mint) -> None:
    tokens = sendable(bad_tokens(mint.now()))
    assert len(tokens) >= 150
    said = codes(front, {name: token for name, token in tokens.items() if len(token) < 8000})
    assert {name: code for name, code in said.items() if code is not StatusCode.UNAUTHENTICATED} == {}
