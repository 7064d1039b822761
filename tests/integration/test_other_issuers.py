"""A worker with other issuers: their tokens make predictions, their keys change, and they may be away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.certificates import local_authority
from tests.fakes.key_provider import DISCOVERY, KEYS, KeyProvider
from tests.fakes.provider_keys import Signer, access_claims, service_account_claims
from tests.front_service import FLOWER, FrontService
from tests.key_agent import KeyAgent

CLUSTER_ISS = "https://kubernetes.default.svc.cluster.local"
SECOND = Signer("RS256", "second")


def corp(provider: KeyProvider, more: str = "") -> str:
    return (
        f'[[issuers]]\nname = "corp"\nissuer = "{provider.url}"\ndiscovery = true\n{more}\n'
        '[[grants]]\nissuer = "corp"\nsubject = "ada"\nscopes = ["predict:iris"]\n'
    )


class Desk:
    """One worker, its agent's chore, and the policy that both follow."""

    def __init__(self, folder: Path, text: str, running: ExitStack) -> None:
        self.folder, self.policy, self._running = folder, folder / "policy.toml", running
        self.write(text)

    def write(self, text: str) -> None:
        fresh = self.policy.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.policy)

    def agent(self) -> KeyAgent:
        return self._running.enter_context(KeyAgent(self.policy, self.folder / "store"))

    def front(self, **settings: Any) -> FrontService:
        front = FrontService(self.folder, auth_policy_file=self.policy, models="iris,housing", **settings)
        self._running.callback(front.close)
        return front

    def served(self) -> FrontService:
        """With keys of `corp`."""
        self.agent().wait_for("corp")
        return self.front()


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def provider(running: ExitStack) -> KeyProvider:
    return running.enter_context(KeyProvider())


def asked(front: FrontService, token: str, path: str = "/predict/iris") -> httpx.Response:
    return front.predict(FLOWER, path, authorization=f"Bearer {token}")


def until_ready(front: FrontService) -> httpx.Response:
    give_up_at = time.monotonic() + 20
    while (reply := front.ask("GET", "/readyz")).status_code != 200:
        assert time.monotonic() < give_up_at, reply.text
        time.sleep(0.05)
    return reply


def test_a_caller_of_a_provider_predicts_what_the_policy_grants(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    token = Signer().sign(access_claims(provider.url))
    assert asked(front, token).status_code == 200
    assert asked(front, token, "/predict/housing").status_code == 403
    assert [record.subject for record in front.logged()] == ["corp:ada"]
    me = front.ask("GET", "/auth/me", headers={"authorization": f"Bearer {token}"}).json()
    assert (me["subject"], me["issuer"], me["scopes"]) == ("corp:ada", "corp", ["predict:iris"])
    assert 'slipway_auth_requests_total{issuer="corp",result="ok"}' in front.series()
    assert 'slipway_issuer_keys_age_seconds{issuer="corp"}' in front.series()


def test_somebody_without_a_grant_may_do_nothing(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    token = Signer().sign(access_claims(provider.url, sub="eve", scope="predict admin"))
    assert asked(front, token).json()["type"].endswith("insufficient-scope")


def test_our_own_tokens_are_believed_beside_them(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    assert front.predict(FLOWER).status_code == 200


def test_the_first_token_of_a_brand_new_key_is_accepted(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    provider.signers = [Signer(), SECOND]
    assert asked(front, SECOND.sign(access_claims(provider.url))).status_code == 200


def test_a_key_that_the_provider_took_away_is_believed_no_more(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    old = Signer().sign(access_claims(provider.url))
    assert asked(front, old).status_code == 200
    provider.signers = [SECOND]
    assert asked(front, SECOND.sign(access_claims(provider.url))).status_code == 200
    time.sleep(1.1)  # remembered tokens are looked at once a second
    assert asked(front, old).status_code == 401


def test_a_provider_that_is_down_stops_nobody_not_even_after_a_restart(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    desk = Desk(tmp_path, corp(provider), running)
    token = Signer().sign(access_claims(provider.url))
    with KeyAgent(desk.policy, tmp_path / "store") as agent:
        agent.wait_for("corp")
    provider.failure = 503
    with KeyAgent(desk.policy, tmp_path / "store", refresh_seconds=0.05) as agent:
        agent.wait_for("corp", "refused")
        for _ in range(2):
            front = FrontService(tmp_path, auth_policy_file=desk.policy, models="iris,housing")
            until_ready(front)
            assert asked(front, token).status_code == 200
            front.close()


def test_a_flood_of_unknown_keys_asks_the_provider_once_and_holds_up_nobody(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    before = provider.asked[KEYS]
    for number in range(300):
        forged = Signer("RS256", "evil", kid=f"k{number}").sign(access_claims(provider.url))
        assert asked(front, forged).status_code == 401
    assert provider.asked[KEYS] == before + 1
    assert asked(front, Signer().sign(access_claims(provider.url))).status_code == 200
    assert 'slipway_auth_requests_total{issuer="corp",result="unknown-key"}' in front.series()


def test_no_token_makes_anybody_ask_an_address(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    before = provider.asked.total()
    with KeyProvider() as evil:
        for header in ({"jku": evil.url + KEYS}, {"x5u": evil.url}, {"kid": evil.url + KEYS}):
            token = Signer("RS256", "evil").sign(access_claims(provider.url), header)
            assert asked(front, token).status_code == 401
        assert asked(front, Signer().sign(access_claims(evil.url))).status_code == 401
        assert not evil.asked
    assert provider.asked.total() <= before + 2


def test_nobody_is_let_in_before_an_issuers_first_keys_are_there(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    provider.failure = 503
    desk = Desk(tmp_path, corp(provider), running)
    front = desk.front()
    reply = front.ask("GET", "/readyz")
    assert reply.status_code == 503
    assert reply.json()["reasons"]["identity"] == "keys of corp"
    provider.failure = 0
    desk.agent()
    until_ready(front)
    assert asked(front, Signer().sign(access_claims(provider.url))).status_code == 200


def test_an_issuer_is_added_and_taken_away_without_a_restart(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    desk = Desk(tmp_path, "", running)
    agent, front = desk.agent(), desk.front()
    token = Signer().sign(access_claims(provider.url))
    assert asked(front, token).status_code == 401
    provider.failure = 503
    desk.write(corp(provider))
    agent.wait_for("corp", "refused")
    assert front.ask("GET", "/readyz").status_code == 200, "a new issuer that is down takes nobody out"
    provider.failure = 0
    agent.wait_for("corp")
    assert asked(front, token).status_code == 200
    desk.write("")
    time.sleep(1.1)
    assert asked(front, token).status_code == 401
    gauge, tries = 'slipway_issuer_keys_age_seconds{issuer="corp"} 0.0', 50
    while tries and gauge not in front.ask("GET", "/metrics").text:
        front.runner.run(asyncio.sleep(0.1))
        tries -= 1
    assert tries, "whom nobody believes any more must not keep an alert firing"


def test_a_wrong_edition_of_the_policy_changes_nothing(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    desk = Desk(tmp_path, corp(provider), running)
    front = desk.served()
    desk.write(corp(provider).replace("discovery = true", 'jwks_url = "http://evil.example"'))
    time.sleep(1.1)
    assert asked(front, Signer().sign(access_claims(provider.url))).status_code == 200
    assert 'slipway_policy_reloads_total{result="refused"}' in front.series()


def test_a_damaged_key_file_leaves_the_keys_in_memory(
    tmp_path: Path, running: ExitStack, provider: KeyProvider
) -> None:
    front = Desk(tmp_path, corp(provider), running).served()
    (tmp_path / "store" / "_identity" / "keys-corp.json").write_bytes(b'{"source": ')
    time.sleep(0.3)
    assert asked(front, Signer().sign(access_claims(provider.url))).status_code == 200


class TestServiceAccounts:
    """Tokens as kube-apiserver makes them; its keys are behind TLS of its own and want a token themselves."""

    @pytest.fixture
    def cluster(self, tmp_path: Path, running: ExitStack) -> KeyProvider:
        tls, _ = local_authority(tmp_path)
        (tmp_path / "token").write_text("of-the-agent")
        return running.enter_context(KeyProvider(tls=tls, bearer="of-the-agent"))

    @pytest.fixture
    def front(self, tmp_path: Path, running: ExitStack, cluster: KeyProvider) -> FrontService:
        policy = (
            f'[[issuers]]\nname = "cluster"\nkind = "kubernetes"\nissuer = "{CLUSTER_ISS}"\n'
            f'jwks_url = "{cluster.url}{KEYS}"\nca_file = "{tmp_path}/ca.crt"\nbearer_file = "{tmp_path}/token"\n'
            '[[grants]]\nissuer = "cluster"\nsubject = "system:serviceaccount:shop:*"\nscopes = ["predict:iris"]\n'
        )
        desk = Desk(tmp_path, policy, running)
        desk.agent().wait_for("cluster")
        return desk.front()

    def token(self, **changes: Any) -> str:
        return Signer().sign(service_account_claims(CLUSTER_ISS, **changes), {"typ": None})

    def test_a_pod_predicts_without_a_password(self, front: FrontService, cluster: KeyProvider) -> None:
        assert asked(front, self.token()).status_code == 200
        assert front.logged()[-1].subject == "cluster:system:serviceaccount:shop:web"
        assert DISCOVERY not in cluster.asked

    def test_a_token_for_the_cluster_itself_is_not_for_us(self, front: FrontService) -> None:
        assert asked(front, self.token(aud=[CLUSTER_ISS])).status_code == 401

    def test_a_pod_of_another_namespace_may_do_nothing(self, front: FrontService) -> None:
        claims = service_account_claims(CLUSTER_ISS)
        bound = {**claims["kubernetes.io"], "namespace": "other"}
        token = self.token(sub="system:serviceaccount:other:web", **{"kubernetes.io": bound})
        assert asked(front, token).status_code == 403
