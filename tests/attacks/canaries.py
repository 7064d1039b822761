"""Values that occur nowhere else, fed to a running worker and its agent in every place that takes a secret."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from auth.client_secrets import secret_hash
from auth.jwk_sets import jwk_set_of
from auth.passwords import Passwords
from auth.policy import read_policy
from records.engine import open_engine
from records.users import add_user
from serving.identity_folder import IdentityFolder
from tests.attacks.corpus.mints import key_pair, own_pair, pem, public_jwk
from tests.e2e.running_service import JWT_SECRET_KEY, RunningService
from tests.front_service import CATALOG
from tests.redis_server import RedisServer
from tests.tiny_servables import write_tiny

PASSWORD = "canary password 7fQ2 of ada"
SECRET = "canary-secret-9kLm-of-the-shop"
FEATURE = 5.812739
POLICY = """
[[issuers]]
name = "corp"
issuer = "https://id.canary.test"
jwks_url = "https://127.0.0.1:9/jwks"
bearer_file = "{bearer_file}"
"""

VALUES = {
    "database password": "canary-of-postgres-4xYz",
    "redis password": "canary-of-redis-8wQr",
    "shared key": JWT_SECRET_KEY,
    "provider's bearer": "canary-of-the-agent-2bVn",
    "registry password": "canary-of-mlflow-6tHj",
    "password": PASSWORD,
    "client secret": SECRET,
    "feature": str(FEATURE),
    "odd feature": "canary-feature-0pLk",
    "wrong password": "canary-wrong-3eDc",
    "password as a name": "canary-as-a-name-8uJm",
}
HEADERS = {
    "user-agent": "canary-browser-1aSd",
    "cookie": "session=canary-cookie-3cFv",
    "x-api-key": "canary-header-5gBn",
    "referer": "https://canary-referer-7yHn.test/",
}


def settings_of(folder: Path, redis: RedisServer) -> dict[str, str]:
    """Redis has no password, and is angry to be told one; the provider of keys is not there: both end up in logs."""
    bearer, policy, key = folder / "bearer", folder / "policy.toml", folder / "signing.pem"
    bearer.write_text(VALUES["provider's bearer"])
    policy.write_text(POLICY.format(bearer_file=bearer))
    key.write_text(pem(own_pair("ES256").key))
    write_tiny(CATALOG["iris"], folder / "baked" / "iris")
    keys = jwk_set_of({"keys": [public_jwk(key_pair("ES256", 70))]})
    for issuer in read_policy(policy, audience="slipway", own_issuer="slipway").issuers:
        IdentityFolder(folder / "store").write_keys(issuer, keys, fetched_at=time.time())
    return {
        "MODELS": "iris",
        "MODEL_SOURCE": "path",
        "MODEL_PATH": str(folder / "baked"),
        "AUTH_POLICY_FILE": str(policy),
        "JWT_SIGNING_KEY_FILE": str(key),
        "JWKS_REFRESH_SECONDS": "5",
        "REDIS_URL": f"redis://:{VALUES['redis password']}@127.0.0.1:{redis.port}/0",
        "MLFLOW_TRACKING_USERNAME": "canary",
        "MLFLOW_TRACKING_PASSWORD": VALUES["registry password"],
        "LOG_LEVEL": "DEBUG",
    }


def people(database_url: str) -> None:
    engine, passwords = open_engine(database_url), Passwords()
    scopes = "predict read feedback"
    add_user(engine, username="ada", password_hash=passwords.hash(PASSWORD), scopes=scopes)
    add_user(engine, username="shop", password_hash=secret_hash(SECRET), scopes="predict", kind="client")
    engine.dispose()


@dataclass
class Canaries:
    """`secret` are the values to be looked for; `answers`, in what was said to whom asked."""

    service: RunningService
    secret: dict[str, str] = field(default_factory=lambda: {**VALUES, **HEADERS})
    answers: list[httpx.Response] = field(default_factory=list)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20))

    def ask(self, method: str, path: str, *, own: bool = False, **parts: Any) -> httpx.Response:
        """`own`: the answer is the one place where a secret belongs, and is not kept."""
        parts["headers"] = {**HEADERS, **parts.get("headers", {})}
        answer = self.client.request(method, f"{self.service.url}{path}", timeout=20, **parts)
        if not own:
            self.answers.append(answer)
        return answer

    def tokens(self, path: str, **parts: Any) -> dict[str, str]:
        """A good request for tokens, which are secrets from now on: by their signatures, as all of them begin alike."""
        answer = self.ask("POST", path, own=True, **parts)
        assert answer.status_code == 200, answer.text
        made: dict[str, str] = answer.json()
        for name in ("access_token", "refresh_token"):
            if name in made:
                self.secret[f"{name} {len(self.secret)}"] = made[name].rpartition(".")[2]
        return made

    def found_in(self, text: str) -> list[str]:
        return [name for name, value in self.secret.items() if value in text]
