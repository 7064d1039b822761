"""The keys that sign our own tokens, from the settings that name them; none where others issue all tokens."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from auth.audit import Audit, no_audit
from auth.key_files import FixedSource, KeyFile, KeySource, RotatingKeys
from auth.key_rotation import Periods
from auth.keys import KeySet, NoKeys, read_secrets
from auth.policy import PolicyFile
from serving.settings import Environment, Settings

PEM_FILE, SECRET_FILE, SECRET = "JWT_SIGNING_KEY_FILE", "JWT_SECRET_KEY_FILE", "JWT_SECRET_KEY"


def own_keys(settings: Settings, *, audit: Audit = no_audit) -> KeySet:
    """PEM keys sign before shared secrets, which then only verify. Raises ValueError, naming the setting.

    Without any key: in `dev` one is made; elsewhere the policy file must name somebody else who issues tokens.
    """
    sources = _sources(settings)
    given = [source.read() for source in sources]  # what is wrong with one is said before what is missing
    if not any(each.keys for each in given):
        if settings.slipway_env is not Environment.DEV and _others_issue(settings):
            return NoKeys()
        sources = [*sources, *_made_here(settings, named=[source.setting for source in sources])]
    periods = Periods(
        settle_seconds=settings.jwt_key_settle_seconds, grace_seconds=settings.jwt_key_grace_seconds
    )
    return RotatingKeys(sources, periods, audit=audit)


def check_own_keys(settings: Settings) -> None:
    """The same at the door, where none is made yet."""
    if settings.slipway_env is not Environment.DEV or _sources(settings):
        own_keys(settings)


def _sources(settings: Settings) -> list[KeySource]:
    sources: list[KeySource] = []
    if settings.jwt_signing_key_file is not None:
        # It imports cryptography: a tenth of a second of every start, where no key is PEM.
        from auth.pem_keys import read_pem_keys

        sources.append(KeyFile(settings.jwt_signing_key_file, PEM_FILE, read_pem_keys))
    if settings.jwt_secret_key_file is not None:
        sources.append(KeyFile(settings.jwt_secret_key_file, SECRET_FILE, read_secrets))
    if settings.jwt_secret_key is not None:
        text = settings.jwt_secret_key.get_secret_value()
        sources.append(FixedSource(SECRET, read_secrets(text, setting=SECRET)))
    return sources


def _others_issue(settings: Settings) -> bool:
    policy = PolicyFile(
        settings.auth_policy_file, audience=settings.jwt_audience, own_issuer=settings.jwt_issuer
    )
    return bool(policy.current().issuers)


def _made_here(settings: Settings, *, named: list[str]) -> list[KeySource]:
    if named:
        raise ValueError(f"{' and '.join(named)}: no key in the file, or no file")
    if settings.slipway_env is not Environment.DEV:
        raise ValueError(f"{SECRET}, {SECRET_FILE} or {PEM_FILE} is required outside dev")
    return [KeyFile(dev_key_file(settings), SECRET_FILE, read_secrets)]


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
