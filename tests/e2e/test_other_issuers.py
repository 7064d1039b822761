"""The whole service with another issuer: two workers, their agent, and a provider that rotates, goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from modelkit.definition import load_catalog
from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until
from tests.fakes.key_provider import KEYS, KeyProvider
from tests.fakes.provider_keys import Signer, access_claims
from tests.front_service import FLOWER
from tests.tiny_servables import write_tiny

SECOND, THIRD = Signer("RS256", "second"), Signer("RS256", "third")


@pytest.fixture
def provider() -> Iterator[KeyProvider]:
    with KeyProvider() as provider:
        yield provider


@pytest.fixture
def service(tmp_path: Path, provider: KeyProvider) -> Iterator[RunningService]:
    """Ready, and so with the provider's keys, which its agent fetched."""
    write_tiny(load_catalog()["iris"], tmp_path / "models" / "iris")
    policy = tmp_path / "policy.toml"
    policy.write_text(
        f'[[issuers]]\nname = "corp"\nissuer = "{provider.url}"\njwks_url = "{provider.url}{KEYS}"\n'
        '[[grants]]\nissuer = "corp"\nsubject = "*"\nscopes = ["predict:iris"]\n'
    )
    with RunningService(
        tmp_path,
        tracking_uri="http://127.0.0.1:9",
        database_url=f"sqlite:///{tmp_path / 'slipway.db'}",
        MODELS="iris",
        MODEL_SOURCE="path",
        MODEL_PATH=str(tmp_path / "models"),
        AUTH_POLICY_FILE=str(policy),
        WORKERS="2",
        JWKS_REFRESH_SECONDS="5",
        JWKS_COOLDOWN_SECONDS="1",
    ) as service:
        yield service


def statuses(service: RunningService, token: str, times: int = 8) -> set[int]:
    """By connections of their own, so that every worker is asked."""
    headers = {"authorization": f"Bearer {token}"}
    return {
        httpx.post(f"{service.url}/predict/iris", json=FLOWER, headers=headers, timeout=10).status_code
        for _ in range(times)
    }


def test_keys_come_and_go_while_the_service_runs(service: RunningService, provider: KeyProvider) -> None:
    first, second = (signer.sign(access_claims(provider.url)) for signer in (Signer(), SECOND))
    assert statuses(service, first) == {200}

    provider.signers = [Signer(), SECOND]
    assert statuses(service, second) == {200}, "the first token of a new key is accepted at once"

    provider.signers = [SECOND]
    until(lambda: statuses(service, first) == {401}, seconds=20, what="the old key is believed no more")
    assert statuses(service, second) == {200}

    provider.failure = 503
    before = provider.asked[KEYS]
    until(lambda: provider.asked[KEYS] > before, seconds=30, what="the provider is asked in vain")
    assert statuses(service, second) == {200}

    provider.failure, provider.signers = 0, [THIRD]
    third = THIRD.sign(access_claims(provider.url))
    until(lambda: statuses(service, third) == {200}, seconds=20, what="the provider is back")
