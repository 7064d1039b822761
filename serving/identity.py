"""What a worker needs to know who is asking, wired from the settings: a part of `serving.bootstrap`."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from auth.authenticator import Authenticator
from auth.database import Database
from auth.directory import SqlUserDirectory
from auth.keys import KeySet, MountedSecretKeys, SecretKeys
from auth.login import Login, Prover
from auth.passwords import Passwords
from auth.tokens import JwtVerifier, TokenIssuer
from serving.audit import audit_log
from serving.runtime import Errand
from serving.settings import Environment, Settings


class Identity:
    """One worker's objects of identity.

    `errands` run beside the requests; `unready` says why nobody may be let in yet, empty when all is known.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        keys, issuer, audience = _signing_keys(settings), settings.jwt_issuer, settings.jwt_audience
        ttl, leeway = settings.jwt_access_ttl_seconds, settings.jwt_leeway_seconds
        self.issuer = TokenIssuer(keys, issuer=issuer, audience=audience, ttl_seconds=ttl, clock=time.time)
        verifier = JwtVerifier(keys, issuer=issuer, audience=audience, clock=time.time, leeway_seconds=leeway)
        self.authenticator = Authenticator([verifier], clock=time.time)
        url, mounted = settings.database_url.get_secret_value(), settings.database_url_file
        self.database = Database(url, mounted=mounted)
        self.users = SqlUserDirectory(self.database)
        self.prover = Prover(self.users, Passwords(), audit=audit_log)
        self.login = self._login()
        self.errands: list[Errand] = []

    def unready(self) -> str:
        return ""

    def _login(self) -> Login:
        return Login(self.users, Passwords(), issuer=self.issuer, sessions=self.users, clock=time.time)


def _signing_keys(settings: Settings) -> KeySet:
    if settings.jwt_secret_key is not None:
        return SecretKeys(settings.jwt_secret_key.get_secret_value(), setting="JWT_SECRET_KEY")
    return MountedSecretKeys(
        settings.jwt_secret_key_file or dev_key_file(settings), setting="JWT_SECRET_KEY_FILE"
    )


def dev_key_file(settings: Settings) -> Path:
    """In `dev` without a key: one made here, for this machine only, shared by the workers."""
    assert settings.slipway_env is Environment.DEV
    path = settings.spool_dir.parent / "jwt.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path
