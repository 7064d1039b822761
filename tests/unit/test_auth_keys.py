"""Shared secrets as keys: weak ones never start."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from auth.keys import Key, NoKeys, SecretKeys
from modelkit.errors import NotFound

SETTING = "JWT_SECRET_KEY"


def secret() -> str:
    return secrets.token_urlsafe(48)


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "  \n ",
        "short-but-random-kJ4vQ9xTz2",
        "a" * 64,
        "0123456701234567" * 4,
        "change-me-change-me-change-me-change-me",
        "your-secret-key-change-in-production",
        "YOUR_SECRET_KEY_GOES_HERE_0123456789",
        "please replace this with 32 bytes, please",
        "super-secret-jwt-key-0123456789-abcdef",
        "example-key-for-the-documentation-0123456789",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
    ],
)
def test_a_weak_secret_is_refused_by_the_name_of_its_setting_only(weak: str) -> None:
    with pytest.raises(ValueError) as refused:
        SecretKeys(weak, setting=SETTING)
    assert SETTING in str(refused.value)
    assert not weak.strip() or weak not in str(refused.value)


def test_a_weak_second_secret_is_refused_too() -> None:
    with pytest.raises(ValueError, match=SETTING):
        SecretKeys(f"{secret()}\nchange-me", setting=SETTING)


@pytest.mark.parametrize("make", [lambda: secrets.token_hex(32), secret, lambda: secrets.token_hex(16)])
def test_random_secrets_are_accepted(make: Callable[[], str]) -> None:
    for _ in range(200):
        SecretKeys(make(), setting=SETTING)


def test_the_first_secret_signs_and_all_of_them_verify() -> None:
    old, new = secret(), secret()
    keys = SecretKeys(f"{new}\n{old}\n", setting=SETTING)
    assert keys.signing_key().private == new.encode()
    previous = SecretKeys(old, setting=SETTING).signing_key()
    assert keys.verification_key(previous.kid) == previous
    assert keys.verification_key("unknown") is None


def test_a_key_does_not_print_its_secret() -> None:
    assert "hush" not in repr(Key(kid="k", algorithm="HS256", private=b"hush", public=b"hush"))


def test_a_revoked_secret_is_believed_no_more_though_it_is_still_listed() -> None:
    old, new = secret(), secret()
    kid = SecretKeys(old, setting=SETTING).signing_key().kid
    keys = SecretKeys(f"{new}\n{old}\nrevoked {kid}", setting=SETTING)
    assert keys.verification_key(kid) is None
    with pytest.raises(ValueError, match="JWT_SECRET_KEY holds revoked keys only"):
        SecretKeys(f"{old}\nrevoked {kid}", setting=SETTING)


def test_a_line_that_revokes_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="names no key"):
        SecretKeys(f"{secret()}\nrevoked the old one", setting=SETTING)


def test_where_others_issue_all_tokens_there_is_no_key_to_sign_with() -> None:
    with pytest.raises(NotFound):
        NoKeys().signing_key()
    assert NoKeys().verification_key("any") is None
    assert NoKeys().published() == ()
