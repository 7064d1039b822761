"""The agent asks a provider for its keys over real HTTP, and takes nothing that it should not."""

from __future__ import annotations

import gzip
import json
import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from auth.policy import ExternalIssuer
from serving.agent.key_fetch import KeysRefused, fetch_keys
from tests.certificates import local_authority
from tests.fakes.key_provider import DISCOVERY, KEYS, KeyProvider
from tests.fakes.provider_keys import Signer


def issuer_of(provider: KeyProvider, *, discovery: bool = False) -> ExternalIssuer:
    return ExternalIssuer(
        name="corp",
        issuer=provider.url,
        audience="slipway",
        jwks_url="" if discovery else provider.url + KEYS,
        algorithms=("RS256",),
    )


def refusal(issuer: ExternalIssuer) -> str:
    with pytest.raises(KeysRefused) as refused:
        fetch_keys(issuer)
    return str(refused.value)


def test_keys_come_from_the_address_of_the_policy() -> None:
    with KeyProvider() as provider:
        keys = fetch_keys(issuer_of(provider))
        assert [key.kid for key in keys.keys] == [Signer().kid]
        assert provider.asked == {KEYS: 1}


def test_or_from_where_the_provider_says_they_are() -> None:
    with KeyProvider() as provider:
        provider.keys_path = "/elsewhere"
        assert fetch_keys(issuer_of(provider, discovery=True)).keys
        assert provider.asked == {DISCOVERY: 1, "/elsewhere": 1}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"jwks_uri": "http://evil.example/jwks"}, "no address of keys"),
        ({"jwks_uri": "file:///etc/passwd"}, "no address of keys"),
        ({"jwks_uri": None}, "no address of keys"),
        ({"jwks_uri": ["x"]}, "no address of keys"),
    ],
    ids=["another issuer", "not encrypted", "a file", "nowhere", "a list"],
)
def test_a_discovery_document_is_not_believed_everything(told: dict[str, object], reason: str) -> None:
    with KeyProvider() as provider:
        provider.extra = told
        assert reason in refusal(issuer_of(provider, discovery=True))
        assert KEYS not in provider.asked


def test_redirects_are_not_followed() -> None:
    with KeyProvider() as elsewhere, KeyProvider() as provider:
        provider.failure, provider.headers = 302, {"Location": elsewhere.url + KEYS}
        assert refusal(issuer_of(provider)) == "it answered 302"
        assert not elsewhere.asked


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"keys": 1}', b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'],
    ids=["empty", "no JSON", "a list", "no keys", "none", "a shared secret"],
)
def test_an_answer_without_keys_for_us_is_refused(body: bytes) -> None:
    with KeyProvider() as provider:
        provider.body = body
        assert refusal(issuer_of(provider))


def test_keys_of_other_algorithms_only_are_refused() -> None:
    with KeyProvider(Signer("ES256")) as provider:
        assert "fits the policy's algorithms" in refusal(issuer_of(provider))


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    with KeyProvider() as provider:
        provider.body = b" " * 10_000_000
        assert refusal(issuer_of(provider)) == "the answer is too large"


def test_a_compressed_answer_is_not_unpacked() -> None:
    with KeyProvider() as provider:
        provider.body = gzip.compress(b" " * 10_000_000)
        provider.headers = {"Content-Encoding": "gzip"}
        assert refusal(issuer_of(provider)) == "the answer is compressed"


def test_an_answer_that_drips_is_given_up() -> None:
    with KeyProvider() as provider:
        provider.drip_seconds = 0.05
        with pytest.raises(KeysRefused, match="takes too long"):
            fetch_keys(issuer_of(provider), max_seconds=1.0)


@pytest.mark.parametrize("discovery", [False, True], ids=["keys", "discovery"])
def test_headers_that_drip_are_given_up(discovery: bool) -> None:
    with KeyProvider() as provider:
        provider.header_seconds = 0.05
        with pytest.raises(KeysRefused, match="takes too long"):
            fetch_keys(issuer_of(provider, discovery=discovery), max_seconds=1.0)
        provider.header_seconds = 0.0
        assert fetch_keys(issuer_of(provider, discovery=discovery)).keys


def test_who_takes_the_connection_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("http", "https"):
            url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
            issuer = ExternalIssuer(name="corp", issuer=url, audience="slipway", algorithms=("RS256",))
            with pytest.raises(httpx.TimeoutException):
                fetch_keys(issuer, max_seconds=0.4)


def test_only_the_authority_of_the_policy_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    tls, authority = local_authority(tmp_path)
    _, other = local_authority(tmp_path / "other")
    with KeyProvider(tls=tls) as provider:
        issuer = issuer_of(provider)
        assert fetch_keys(replace(issuer, ca_file=authority)).keys
        for untrusted in (issuer, replace(issuer, ca_file=other)):
            with pytest.raises(httpx.ConnectError):
                fetch_keys(untrusted)


def test_a_bearer_token_is_read_each_time_and_told_to_nobody_else(tmp_path: Path) -> None:
    token = tmp_path / "token"
    tls, authority = local_authority(tmp_path)
    with KeyProvider(tls=tls, bearer="first") as provider, KeyProvider() as elsewhere:
        issuer = replace(issuer_of(provider), ca_file=authority, bearer_file=token)
        token.write_text("first\n")
        assert fetch_keys(issuer).keys
        provider.bearer = "second"
        assert refusal(issuer) == "it answered 401"
        token.write_text("second")
        assert fetch_keys(issuer).keys
        fetch_keys(issuer_of(elsewhere))
        assert elsewhere.seen_bearers == [""]


def test_a_token_is_not_taken_to_where_discovery_points(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    with KeyProvider() as elsewhere, KeyProvider() as provider:
        provider.extra = {"jwks_uri": elsewhere.url + KEYS}
        fetch_keys(replace(issuer_of(provider, discovery=True), bearer_file=token))
        assert provider.seen_bearers == ["Bearer secret"]
        assert elsewhere.seen_bearers == [""]


def test_a_provider_that_is_away_is_an_error_of_http() -> None:
    with KeyProvider() as provider:
        issuer = issuer_of(provider)
    with pytest.raises(httpx.ConnectError):
        fetch_keys(issuer)


def test_what_was_answered_is_in_no_message() -> None:
    with KeyProvider() as provider:
        provider.body = json.dumps({"keys": "canary-4711"}).encode()
        assert "canary" not in refusal(issuer_of(provider))
