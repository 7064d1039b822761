"""Signing keys: weak ones never start, and a mounted one changes without a restart."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from auth.keys import Key, MountedSecretKeys, SecretKeys
from tests.fakes.clock import FakeClock

SETTING = "JWT_SECRET_KEY"


def secret() -> str:
    return secrets.token_urlsafe(48)


def write(path: Path, text: str, *, at: int) -> None:
    path.write_text(text)
    os.utime(path, (at, at))


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
    assert keys.signing_key().secret == new.encode()
    previous = SecretKeys(old, setting=SETTING).signing_key()
    assert keys.verification_key(previous.kid) == previous
    assert keys.verification_key("unknown") is None


def test_a_key_does_not_print_its_secret() -> None:
    assert "hush" not in repr(Key(kid="k", algorithm="HS256", secret=b"hush"))


def test_a_mounted_secret_is_read_again_when_it_changes(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "key"
    first, second = secret(), secret()
    write(path, first, at=1)
    keys = MountedSecretKeys(path, setting=SETTING, clock=clock)
    generation = keys.generation()
    write(path, second + "\n", at=2)
    assert keys.signing_key().secret == first.encode()
    clock.advance(1.0)
    assert keys.signing_key().secret == second.encode()
    assert keys.generation() != generation


def test_a_replaced_file_is_noticed_even_with_equal_size_and_time(tmp_path: Path) -> None:
    """Kubernetes swaps a symbolic link."""
    clock, path = FakeClock(), tmp_path / "key"
    first, second = secret(), secret()
    for name, text in (("a", first), ("b", second)):
        write(tmp_path / name, text, at=1)
    path.symlink_to("a")
    keys = MountedSecretKeys(path, setting=SETTING, clock=clock)
    (tmp_path / "link").symlink_to("b")
    os.replace(tmp_path / "link", path)
    clock.advance(1.0)
    assert keys.signing_key().secret == second.encode()


@pytest.mark.parametrize("broken", ["", "change-me-change-me-change-me-change-me", None])
def test_an_unusable_new_secret_leaves_the_old_one(
    tmp_path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    clock, path, good = FakeClock(), tmp_path / "key", secret()
    write(path, good, at=1)
    keys = MountedSecretKeys(path, setting=SETTING, clock=clock)
    generation = keys.generation()
    if broken is None:
        path.unlink()
    else:
        write(path, broken, at=2)
    clock.advance(1.0)
    assert keys.signing_key().secret == good.encode()
    assert keys.generation() == generation
    assert SETTING in caplog.text
    assert not broken or broken not in caplog.text


def test_a_mended_secret_is_taken_after_a_broken_one(tmp_path: Path) -> None:
    clock, path, mended = FakeClock(), tmp_path / "key", secret()
    write(path, secret(), at=1)
    keys = MountedSecretKeys(path, setting=SETTING, clock=clock)
    write(path, "", at=2)
    clock.advance(1.0)
    keys.signing_key()
    write(path, mended, at=3)
    clock.advance(1.0)
    assert keys.signing_key().secret == mended.encode()


@pytest.mark.parametrize("content", [None, b"\xff\xfe not text " * 4])
def test_a_mounted_secret_that_cannot_be_read_does_not_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="JWT_SECRET_KEY_FILE"):
        MountedSecretKeys(path, setting="JWT_SECRET_KEY_FILE", clock=FakeClock())
