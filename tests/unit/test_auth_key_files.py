"""Keys in mounted files change without a restart, whoever changes them and however badly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auth.authenticator import Authenticator
from auth.key_files import MAX_BYTES, FixedSource, KeyFile, KeySource, RotatingKeys
from auth.key_rotation import Periods
from auth.keys import Key, SecretKeys, read_secrets
from auth.pem_keys import PemKeys, read_pem_keys
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.trail import Trail
from tests.signing_keys import pem, shared_secret

SECRETS, PEM = "JWT_SECRET_KEY_FILE", "JWT_SIGNING_KEY_FILE"
SETTLE, GRACE = 120.0, 1800.0
PERIODS = Periods(settle_seconds=SETTLE, grace_seconds=GRACE)
AT_ONCE = Periods(settle_seconds=0, grace_seconds=0)


class Desk:
    """Two files of keys in a folder, the process that reads them, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.secrets, self.pem = folder / "jwt-secret-key", folder / "jwt-signing-key"
        self.clock, self.trail = FakeClock(), Trail()
        self.writes = 0

    def write(self, path: Path, text: str, *, age: float = 1e6) -> None:
        """`age` is what the file's time says; no two writes have the same."""
        self.writes += 1
        path.write_text(text)
        changed = self.clock() - age + self.writes / 1000
        os.utime(path, (changed, changed))

    def keys(self, periods: Periods = PERIODS) -> RotatingKeys:
        sources = [KeyFile(self.pem, PEM, read_pem_keys), KeyFile(self.secrets, SECRETS, read_secrets)]
        return RotatingKeys(sources, periods, clock=self.clock, audit=self.trail)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def key(text: str) -> Key:
    made = PemKeys if "BEGIN" in text else SecretKeys
    return made(text, setting="KEY").signing_key()


def test_a_key_that_replaces_another_settles_then_signs_and_the_old_one_has_its_grace(desk: Desk) -> None:
    old, new = shared_secret(), shared_secret()
    desk.write(desk.secrets, old)
    keys = desk.keys()
    desk.write(desk.secrets, new)
    assert keys.verification_key(key(new).kid) is None
    desk.clock.advance(1)
    assert keys.verification_key(key(new).kid) == key(new)
    assert keys.signing_key() == key(old)
    desk.clock.advance(SETTLE)
    assert keys.signing_key() == key(new)
    assert keys.verification_key(key(old).kid) == key(old)
    desk.clock.advance(GRACE)
    assert keys.verification_key(key(old).kid) is None


def test_the_trail_names_keys_and_says_what_became_of_them(desk: Desk) -> None:
    old, new = shared_secret(), shared_secret()
    desk.write(desk.secrets, old)
    keys = desk.keys()
    desk.write(desk.secrets, new)
    for seconds in (1, SETTLE, GRACE):
        desk.clock.advance(seconds)
        keys.generation()
    both = sorted([key(old).kid, key(new).kid])
    nothing: list[str] = []
    assert desk.trail.of("keys.changed") == [
        {
            "signs": key(old).kid,
            "verify": both,
            "added": [key(new).kid],
            "removed": [key(old).kid],
            "dropped": nothing,
        },
        {"signs": key(new).kid, "verify": both, "added": nothing, "removed": nothing, "dropped": nothing},
        {
            "signs": key(new).kid,
            "verify": [key(new).kid],
            "added": nothing,
            "removed": nothing,
            "dropped": [key(old).kid],
        },
    ]
    assert old not in str(desk.trail.events)
    assert new not in str(desk.trail.events)


def test_from_a_shared_secret_to_a_private_key_and_the_secret_leaves_later(desk: Desk) -> None:
    secret, private = shared_secret(), pem("ed25519")
    desk.write(desk.secrets, secret)
    keys = desk.keys()
    assert keys.published() == ()
    desk.write(desk.pem, private)
    desk.clock.advance(1)
    assert keys.signing_key() == key(secret)
    assert [jwk.kid for jwk in keys.published()] == [key(private).kid]
    desk.clock.advance(SETTLE)
    assert keys.signing_key() == key(private)
    desk.secrets.unlink()
    desk.clock.advance(1)
    assert keys.verification_key(key(secret).kid) == key(secret)
    desk.clock.advance(GRACE)
    assert keys.verification_key(key(secret).kid) is None


def test_and_back_again(desk: Desk) -> None:
    desk.write(desk.secrets, shared_secret())
    desk.write(desk.pem, pem("p-256"))
    keys = desk.keys()
    assert keys.signing_key() == key(pem("p-256"))
    desk.write(desk.pem, "")
    desk.clock.advance(1)
    assert keys.signing_key().algorithm == "HS256"
    assert [jwk.kid for jwk in keys.published()] == [key(pem("p-256")).kid]


def test_where_both_kinds_are_old_the_private_key_signs(desk: Desk) -> None:
    desk.write(desk.secrets, shared_secret())
    desk.write(desk.pem, pem("p-256"))
    assert desk.keys().signing_key().algorithm == "ES256"


def test_where_the_private_key_has_just_come_the_secret_signs_for_a_while(desk: Desk) -> None:
    desk.write(desk.secrets, shared_secret())
    desk.write(desk.pem, pem("p-256"), age=20)
    keys = desk.keys()
    assert keys.signing_key().algorithm == "HS256"
    desk.clock.advance(SETTLE - 19)
    assert keys.signing_key().algorithm == "ES256"


def test_a_file_of_the_future_is_as_young_as_the_process(desk: Desk) -> None:
    desk.write(desk.secrets, "\n".join([shared_secret(), shared_secret()]), age=-1e6)
    keys = desk.keys()
    first = keys.signing_key()
    desk.clock.advance(SETTLE)
    assert keys.signing_key() != first


def test_a_secret_from_the_environment_verifies_beside_a_private_key(desk: Desk) -> None:
    secret = shared_secret()
    desk.write(desk.pem, pem("p-256"))
    sources: list[KeySource] = [
        KeyFile(desk.pem, PEM, read_pem_keys),
        FixedSource("JWT_SECRET_KEY", read_secrets(secret, setting="JWT_SECRET_KEY")),
    ]
    keys = RotatingKeys(sources, PERIODS, clock=desk.clock)
    assert keys.signing_key().algorithm == "ES256"
    assert keys.verification_key(key(secret).kid) == key(secret)
    assert secret not in repr(sources)


def test_the_links_of_a_mounted_secret_are_followed_when_they_are_swapped(tmp_path: Path) -> None:
    """As the kubelet writes a volume: the file is a link into `..data`, itself a link to a folder of this moment."""
    desk = Desk(tmp_path)
    old, new = shared_secret(), shared_secret()
    for moment, text in (("..2026_11_21", old), ("..2026_11_22", new)):
        (tmp_path / moment).mkdir()
        path = tmp_path / moment / "jwt-secret-key"
        path.write_text(text)
        os.utime(path, (1, 1))
    (tmp_path / "..data").symlink_to("..2026_11_21")
    desk.secrets.symlink_to("..data/jwt-secret-key")
    keys = desk.keys(AT_ONCE)
    assert keys.signing_key() == key(old)
    (tmp_path / "..data_tmp").symlink_to("..2026_11_22")
    os.replace(tmp_path / "..data_tmp", tmp_path / "..data")
    desk.clock.advance(1)
    assert keys.signing_key() == key(new)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"change-me-change-me-change-me-change-me",
        b"\xff\xfe not text " * 4,
        b"x" * (MAX_BYTES + 1),
        b"revoked by me, in a hurry",
        None,
    ],
    ids=["empty", "weak", "not text", "huge", "no kid", "gone"],
)
def test_a_bad_new_file_leaves_the_old_keys_and_is_told_once(desk: Desk, broken: bytes | None) -> None:
    good, mended = shared_secret(), shared_secret()
    desk.write(desk.secrets, good)
    keys = desk.keys(AT_ONCE)
    generation = keys.generation()
    if broken is None:
        desk.secrets.unlink()
    else:
        desk.secrets.write_bytes(broken)
    for _ in range(5):
        desk.clock.advance(1)
        assert keys.signing_key() == key(good)
    assert keys.generation() == generation
    (refused,) = desk.trail.of("keys.refused")
    assert SECRETS in str(refused)
    assert not broken or broken.decode(errors="replace")[:20] not in str(refused["reason"])
    desk.write(desk.secrets, mended)
    desk.clock.advance(1)
    assert keys.signing_key() == key(mended)


def test_a_folder_in_the_place_of_a_file_is_refused_too(desk: Desk) -> None:
    desk.write(desk.secrets, shared_secret())
    keys = desk.keys()
    desk.pem.mkdir()
    desk.clock.advance(1)
    assert keys.signing_key().algorithm == "HS256"
    assert desk.trail.of("keys.refused")[0]["reason"] == f"{PEM} cannot be read"


def test_without_a_key_in_any_file_nothing_starts(desk: Desk) -> None:
    with pytest.raises(ValueError, match="JWT_SIGNING_KEY_FILE and JWT_SECRET_KEY_FILE: no key is left"):
        desk.keys()
    secret = shared_secret()
    desk.write(desk.secrets, f"{secret}\nrevoked {key(secret).kid}")
    with pytest.raises(ValueError, match="JWT_SECRET_KEY_FILE: no key is left"):
        desk.keys()


def test_a_clock_that_is_set_back_does_not_keep_the_files_unread(desk: Desk) -> None:
    desk.write(desk.secrets, shared_secret())
    keys = desk.keys(AT_ONCE)
    new = shared_secret()
    desk.write(desk.secrets, new)
    desk.clock.advance(-3600)
    assert keys.signing_key() == key(new)


def verified(desk: Desk, keys: RotatingKeys) -> tuple[Authenticator, bytes]:
    """A caller who was let in before, with a token that lives as long as anybody likes."""
    issuer = TokenIssuer(keys, issuer="us", audience="us", ttl_seconds=86_400, clock=desk.clock)
    token = issuer.issue(subject="ada", scopes=frozenset()).access_token
    authenticator = Authenticator(
        [JwtVerifier(keys, issuer="us", audience="us", clock=desk.clock)], clock=desk.clock
    )
    header = f"Bearer {token}".encode()
    assert authenticator.authenticate(header).subject == "ada"
    return authenticator, header


def test_a_token_that_was_verified_before_goes_when_its_key_goes(desk: Desk) -> None:
    desk.write(desk.secrets, shared_secret())
    authenticator, header = verified(desk, desk.keys())
    desk.write(desk.secrets, shared_secret())
    desk.clock.advance(1)
    assert authenticator.authenticate(header).subject == "ada"
    desk.clock.advance(SETTLE + GRACE - 2)
    assert authenticator.authenticate(header).subject == "ada"
    desk.clock.advance(3)
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(header)


def test_a_token_of_a_leaked_key_is_refused_within_a_second_of_the_line_that_revokes_it(desk: Desk) -> None:
    leaked, new = shared_secret(), shared_secret()
    desk.write(desk.secrets, leaked)
    keys = desk.keys()
    authenticator, header = verified(desk, keys)
    desk.write(desk.secrets, f"{new}\nrevoked {key(leaked).kid}\n")
    desk.clock.advance(1)
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(header)
    assert keys.signing_key() == key(new)


def test_a_line_in_one_file_revokes_a_key_of_the_other(desk: Desk) -> None:
    secret = shared_secret()
    desk.write(desk.secrets, secret)
    desk.write(desk.pem, pem("p-256"))
    keys = desk.keys()
    desk.write(desk.pem, f"revoked {key(secret).kid}\n{pem('p-256')}")
    desk.clock.advance(1)
    assert keys.verification_key(key(secret).kid) is None
