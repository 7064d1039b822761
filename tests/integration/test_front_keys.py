"""A served front over keys of each kind: what it signs, what it shows of them, and what is refused at its door."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from auth.keys import SecretKeys
from auth.pem_keys import PemKeys
from auth.tokens import TokenIssuer
from serving.door import check_service
from serving.settings import Settings
from tests.front_service import FLOWER, FrontService
from tests.signing_keys import GOOD_KINDS, pem, shared_secret

JWKS = "/.well-known/jwks.json"
ISSUER = """
[[issuers]]
name = "corp"
issuer = "https://id.example.com"
jwks_url = "https://id.example.com/jwks"
algorithms = ["RS256"]
"""


def written(path: Path, text: str) -> Path:
    """Old enough that nobody waits for it to settle."""
    path.write_text(text)
    os.utime(path, (1, 1))
    return path


@pytest.fixture(params=GOOD_KINDS.values())
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[FrontService, str]]:
    """With a private key, and a shared secret beside it that callers still have tokens of."""
    path = written(tmp_path / "signing-key", pem(request.param))
    front = FrontService(tmp_path, jwt_signing_key_file=path)
    yield front, request.param
    front.close()


def ask(front: FrontService, token: str) -> int:
    return front.ask(
        "POST", "/predict/iris", json=FLOWER, headers={"authorization": f"Bearer {token}"}
    ).status_code


def test_a_private_key_signs_its_public_half_is_shown_and_the_shared_secret_still_verifies(
    front: tuple[FrontService, str],
) -> None:
    service, kind = front
    issued = service.worker.identity.issuer.issue(subject="ada", scopes=frozenset({"predict"}))
    shown = service.ask("GET", JWKS)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "application/jwk-set+json")
    assert shown.headers["cache-control"] == "public, max-age=60"
    assert "d" not in shown.json()["keys"][0]
    (published,) = jwt.PyJWKSet.from_dict(shown.json()).keys
    assert jwt.decode(issued.access_token, published, audience="slipway")["sub"] == "ada"
    assert published.key_id == PemKeys(pem(kind), setting="KEY").signing_key().kid
    assert ask(service, issued.access_token) == 200
    assert ask(service, service.token()["authorization"].removeprefix("Bearer ")) == 200


def test_with_a_shared_secret_alone_nothing_is_shown(service: FrontService) -> None:
    assert service.ask("GET", JWKS).json() == {"keys": []}
    assert service.ask("POST", JWKS).status_code == 405


def test_caches_of_the_shown_keys_are_old_before_a_new_key_signs(tmp_path: Path) -> None:
    path = written(tmp_path / "signing-key", pem("ed25519"))
    front = FrontService(tmp_path, jwt_signing_key_file=path, jwt_key_settle_seconds=10)
    assert front.ask("GET", JWKS).headers["cache-control"] == "public, max-age=5"
    front.close()


@pytest.fixture
def without_own_tokens(tmp_path: Path) -> Iterator[FrontService]:
    policy = written(tmp_path / "policy.toml", ISSUER)
    named = {"jwt_secret_key": None, "jwt_signing_key_file": tmp_path / "not-there"}
    front = FrontService(tmp_path, **elsewhere(policy, **named), patient=False)
    yield front
    front.close()


def elsewhere(policy: Path, **settings: Any) -> dict[str, Any]:
    production = {"slipway_env": "production", "database_url": "postgresql://slipway@db/slipway"}
    return {**production, "require_signed_models": False, "auth_policy_file": policy, **settings}


def test_where_only_others_issue_tokens_nobody_logs_in(without_own_tokens: FrontService) -> None:
    front = without_own_tokens
    for path in ("/login", "/auth/token", "/auth/refresh"):
        answer = front.ask("POST", path, json={"username": "ada", "password": "correct horse battery staple"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert front.ask("GET", JWKS).json() == {"keys": []}
    assert front.predict(FLOWER).status_code == 401


def production(folder: Path, **settings: Any) -> Settings:
    folders = {name: folder / name for name in ("spool_dir", "metrics_dir", "model_store_dir", "drain_file")}
    return Settings(**{**folders, **elsewhere(Path("/nowhere"), auth_policy_file=None), **settings})


def test_one_key_of_either_kind_or_an_issuer_is_enough_outside_dev(tmp_path: Path) -> None:
    private = written(tmp_path / "private", pem("p-256"))
    secret = written(tmp_path / "secret", shared_secret())
    empty = written(tmp_path / "empty", "\n")
    policy = written(tmp_path / "policy.toml", ISSUER)
    for enough in (
        {"jwt_signing_key_file": private},
        {"jwt_secret_key_file": secret},
        {"jwt_signing_key_file": private, "jwt_secret_key_file": tmp_path / "none"},
        {"jwt_signing_key_file": empty, "jwt_secret_key_file": secret},
        {"jwt_signing_key_file": private, "jwt_secret_key": shared_secret()},
        {"auth_policy_file": policy},
        {"auth_policy_file": policy, "jwt_signing_key_file": empty, "jwt_secret_key_file": tmp_path / "none"},
    ):
        check_service(production(tmp_path, **enough))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "JWT_SECRET_KEY, JWT_SECRET_KEY_FILE or JWT_SIGNING_KEY_FILE is required outside dev"),
        ("", "JWT_SIGNING_KEY_FILE: no key"),
        (pem("rsa-1024"), "JWT_SIGNING_KEY_FILE holds a weak RSA key"),
        (pem("p-384"), "JWT_SIGNING_KEY_FILE holds a key on another curve than P-256"),
        (pem("p-256", password="hunter2"), "JWT_SIGNING_KEY_FILE holds an encrypted key"),
    ],
    ids=["none", "empty", "weak", "curve", "encrypted"],
)
def test_what_could_not_sign_is_refused_at_the_door(tmp_path: Path, content: str | None, named: str) -> None:
    settings: dict[str, Any] = {}
    if content is not None:
        settings = {"jwt_signing_key_file": written(tmp_path / "private", content)}
    with pytest.raises(ValueError, match=named):
        check_service(production(tmp_path, **settings))
    policy = written(
        tmp_path / "policy.toml", "[[grants]]\nissuer = 'own'\nsubject = '*'\nscopes = ['read']\n"
    )
    if not content:
        with pytest.raises(ValueError):
            check_service(production(tmp_path, auth_policy_file=policy, **settings))


def test_a_new_key_verifies_within_a_moment_and_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "secret", shared_secret())
    front = FrontService(tmp_path, jwt_secret_key=None, jwt_secret_key_file=path)
    path.write_text(new := shared_secret())
    issuer = TokenIssuer(
        SecretKeys(new, setting="KEY"), issuer="slipway", audience="slipway", ttl_seconds=60, clock=time.time
    )
    token = issuer.issue(subject="ada", scopes=frozenset({"predict"})).access_token
    give_up_at = time.monotonic() + 20
    while ask(front, token) != 200:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    counted = [
        line for line in front.ask("GET", "/metrics").text.splitlines() if "slipway_key_changes_total" in line
    ]
    assert 'slipway_key_changes_total{result="changed"} 1.0' in counted
    assert new not in json.dumps(counted)
    front.close()
