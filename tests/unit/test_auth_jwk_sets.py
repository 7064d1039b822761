"""Key sets of other issuers: what is a set at all, and what is kept of it."""

from __future__ import annotations

import base64
import json

import pytest

from auth.jwk_sets import MAX_KEYS, MAX_RSA_BITS, MAX_SET_BYTES, MIN_RSA_BITS, JwkSet, parse_jwk_set
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


def rsa_key(bits: int) -> dict[str, str]:
    """Of such a size; who only reads it cannot tell that it has no factors."""
    modulus = ((1 << bits) - 1).to_bytes(-(-bits // 8), "big")
    return {"kty": "RSA", "kid": str(bits), "e": "AQAB", "n": base64.urlsafe_b64encode(modulus).decode()}


def test_rsa_keys_are_neither_weak_nor_so_long_that_each_token_takes_its_time() -> None:
    keys = [rsa_key(bits) for bits in (1024, MIN_RSA_BITS - 1, MIN_RSA_BITS, MAX_RSA_BITS, MAX_RSA_BITS + 1)]
    found = parse_jwk_set(json.dumps({"keys": keys}).encode())
    assert [key.kid for key in found.keys] == ["2048", "8192"]


@pytest.mark.parametrize(
    "kind",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA-PSS"},
        {"kty": ["RSA"]},
        {"kty": "OKP"},
        {"kty": None},
        {},
    ],
    ids=["a shared secret", "unknown", "a list", "of another kind", "null", "none"],
)
def test_a_key_is_of_a_kind_that_is_known(kind: dict[str, object]) -> None:
    key = {name: value for name, value in {**Signer().public(), "kty": None, **kind}.items() if value}
    assert parse_jwk_set(json.dumps({"keys": [key]}).encode()).keys == ()


@pytest.mark.parametrize(("curve", "size"), [("Ed448", 57), ("X25519", 32), ("X448", 56)])
def test_a_curve_of_the_same_family_is_no_key_for_eddsa(curve: str, size: int) -> None:
    key = {"kty": "OKP", "crv": curve, "x": base64.urlsafe_b64encode(bytes(range(size))).decode().rstrip("=")}
    assert parse_jwk_set(json.dumps({"keys": [key]}).encode()).keys == ()


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
