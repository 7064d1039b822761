"""Key sets of other issuers: what is a set at all, and what is kept of it."""

from __future__ import annotations

import json

import pytest

from auth.jwk_sets import MAX_KEYS, MAX_SET_BYTES, JwkSet, parse_jwk_set
from tests.fakes.provider_keys import Signer

NO_SETS = {
    "empty": b"",
    "no JSON": b"<html>",
    "no object": b"[]",
    "no keys": b'{"jwks": []}',
    "keys of another kind": b'{"keys": {}}',
    "keys twice": b'{"keys": [], "keys": []}',
    "not UTF-8": b'{"keys": ["\xff"]}',
    "UTF-16": json.dumps({"keys": []}).encode("utf-16"),
    "too deep": b'{"keys": ' + b"[" * 100_000,
    "too many": json.dumps({"keys": [{}] * (MAX_KEYS + 1)}).encode(),
    "too large": b" " * MAX_SET_BYTES + b'{"keys": []}',
}


@pytest.mark.parametrize("name", sorted(NO_SETS))
def test_what_is_no_set_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_jwk_set(NO_SETS[name])


def test_one_odd_key_does_not_spoil_the_others() -> None:
    odd = [
        None,
        7,
        {},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519"},
    ]
    weak = {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}
    found = parse_jwk_set(json.dumps({"keys": [*odd, weak, Signer().public()]}).encode())
    assert [key.kid for key in found.keys] == [Signer().kid]


def test_what_is_written_down_is_public_and_reads_the_same() -> None:
    shown = Signer("ES256").public(x5c=["MII"], x5u="https://evil.example", d=None)
    found = parse_jwk_set(json.dumps({"keys": [shown, Signer().public()]}).encode())
    members = found.to_members()
    assert not {"d", "p", "x5c", "x5u"} & {name for key in members for name in key}
    assert parse_jwk_set(json.dumps({"keys": members}).encode()) == found
    assert found != JwkSet()


def test_a_key_is_not_told_by_its_repr() -> None:
    (key,) = parse_jwk_set(json.dumps({"keys": [Signer().public()]}).encode()).keys
    assert Signer().public()["n"] not in repr(key)
