"""Passwords at rest: the parameters are OWASP's, and every character counts."""

from __future__ import annotations

import argon2
import pytest

from auth.passwords import Passwords

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


@pytest.fixture(scope="module")
def hashed(passwords: Passwords) -> str:
    return passwords.hash(PASSWORD)


def test_the_hash_says_argon2id_with_the_parameters_of_owasp(hashed: str) -> None:
    found = argon2.extract_parameters(hashed)
    assert found.type is argon2.Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19_456, 2, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)


def test_equal_passwords_have_different_hashes(passwords: Passwords, hashed: str) -> None:
    assert passwords.hash(PASSWORD) != hashed


def test_the_right_password_fits_and_another_does_not(passwords: Passwords, hashed: str) -> None:
    assert passwords.verify(hashed, PASSWORD)
    for other in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), f"{PASSWORD}\x00"):
        assert not passwords.verify(hashed, other)


def test_the_73rd_byte_counts(passwords: Passwords) -> None:
    hashed = passwords.hash("x" * 72 + "a")
    assert passwords.verify(hashed, "x" * 72 + "a")
    assert not passwords.verify(hashed, "x" * 72 + "b")


def test_a_letter_composed_in_another_way_is_the_same_letter(passwords: Passwords) -> None:
    assert passwords.verify(passwords.hash("r\u00e9sum\u00e9 of the year"), "re\u0301sume\u0301 of the year")


@pytest.mark.parametrize(
    "stored", ["", "plain text", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$broken"]
)
def test_a_stored_text_that_is_no_hash_fits_nothing(passwords: Passwords, stored: str) -> None:
    assert not passwords.verify(stored, PASSWORD)


def test_text_that_is_not_unicode_is_only_a_wrong_password(passwords: Passwords, hashed: str) -> None:
    assert not passwords.verify(hashed, "\ud800")


def test_a_hash_with_weaker_parameters_wants_a_new_one(passwords: Passwords, hashed: str) -> None:
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    assert passwords.verify(weaker, PASSWORD)
    assert passwords.needs_rehash(weaker)
    assert not passwords.needs_rehash(hashed)


def test_nobody_costs_what_somebody_costs(passwords: Passwords, hashed: str) -> None:
    assert argon2.extract_parameters(passwords.nobodys_hash) == argon2.extract_parameters(hashed)
    assert not passwords.verify(passwords.nobodys_hash, PASSWORD)
