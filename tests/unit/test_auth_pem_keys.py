"""Private keys in PEM: the algorithm is the key's, its name is its thumbprint, and weak ones never start."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as other_jwt
from joserfc.jwk import JWKRegistry
from joserfc.jwk import KeySet as OtherKeySet

from auth.jwk_document import JwkSet, thumbprint
from auth.keys import SecretKeys
from auth.pem_keys import PemKeys
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import Unauthenticated
from tests.attacks.corpus.mints import own_claims, own_shared
from tests.fakes.clock import FakeClock
from tests.signing_keys import GOOD_KINDS, damaged_rsa, pem, public_pem, shared_secret

SETTING = "JWT_SIGNING_KEY_FILE"
AUDIENCE, ISSUER = "slipway", "slipway"
# RFC 7638, section 3.1.
RFC_KEY = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
    "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n"
    "91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
}


def keys(text: str) -> PemKeys:
    return PemKeys(text, setting=SETTING)


def issued(text: str) -> str:
    issuer = TokenIssuer(keys(text), issuer=ISSUER, audience=AUDIENCE, ttl_seconds=60, clock=FakeClock())
    return issuer.issue(subject="ada", scopes=frozenset({"predict"}), session_id="s-1").access_token


def verifier(text: str) -> JwtVerifier:
    return JwtVerifier(keys(text), issuer=ISSUER, audience=AUDIENCE, clock=FakeClock())


@pytest.mark.parametrize(("algorithm", "kind"), GOOD_KINDS.items())
def test_a_key_has_the_algorithm_of_its_kind_and_verifies_what_it_signed(algorithm: str, kind: str) -> None:
    text = pem(kind)
    token = issued(text)
    header = jwt.get_unverified_header(token)
    assert header == {"alg": algorithm, "typ": "at+jwt", "kid": keys(text).signing_key().kid}
    principal = verifier(text).verify(token)
    assert (principal.subject, principal.session_id) == ("ada", "s-1")


@pytest.mark.filterwarnings(
    "ignore:EdDSA is deprecated"
)  # RFC 9864 calls it Ed25519; most libraries do not yet
@pytest.mark.parametrize(("algorithm", "kind"), GOOD_KINDS.items())
def test_what_is_published_verifies_our_tokens_in_another_library(algorithm: str, kind: str) -> None:
    text = pem(kind)
    published = json.loads(msgspec.json.encode(JwkSet(keys=keys(text).published())))
    others = OtherKeySet.import_key_set(published)
    assert other_jwt.decode(issued(text), others, algorithms=[algorithm]).claims["sub"] == "ada"
    (ours,) = jwt.PyJWKSet.from_dict(published).keys
    timeless: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims = jwt.decode(issued(text), ours.key, [algorithm], audience=AUDIENCE, options=timeless)
    assert claims["sid"] == "s-1"


@pytest.mark.parametrize("kind", GOOD_KINDS.values())
def test_the_name_of_a_key_is_its_thumbprint_as_another_library_computes_it(kind: str) -> None:
    other = JWKRegistry.import_key(pem(kind), {"RSA": "RSA", "EC": "EC"}.get(_kty(kind), "OKP"))
    assert keys(pem(kind)).signing_key().kid == other.thumbprint()


def _kty(kind: str) -> str:
    return "RSA" if kind.startswith("rsa") else "EC" if kind.startswith("p-") else "OKP"


def test_the_thumbprint_is_that_of_the_rfc() -> None:
    assert thumbprint(RFC_KEY) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("kind", GOOD_KINDS.values())
def test_nothing_private_is_published_or_printed(kind: str) -> None:
    made, lines = keys(pem(kind)), pem(kind).splitlines()[1:-1]
    shown = repr(made.signing_key()) + repr(made.published()) + repr(vars(made))
    assert not any(line in shown for line in lines)
    assert {"d", "p", "q", "dp", "dq", "qi", "k"}.isdisjoint(made.published()[0].__struct_fields__)


def test_a_shared_secret_is_never_published() -> None:
    assert SecretKeys(shared_secret(), setting="JWT_SECRET_KEY").published() == ()


def test_the_first_key_signs_and_all_of_them_verify() -> None:
    texts = [pem("ed25519"), pem("p-256"), pem("rsa-2048")]
    together = keys("\n".join(texts))
    assert together.signing_key().algorithm == "EdDSA"
    for text in texts:
        assert verifier("\n".join(texts)).verify(issued(text)).subject == "ada"
    assert [jwk.alg for jwk in together.published()] == ["EdDSA", "ES256", "RS256"]


def test_the_same_key_twice_is_one_key() -> None:
    assert len(keys(pem("p-256") * 3).published()) == 1


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_both_ways_of_openssl_to_write_a_key_are_read(kind: str, form: PrivateFormat) -> None:
    assert keys(pem(kind, form=form)).signing_key() == keys(pem(kind)).signing_key()


def test_text_around_keys_means_nothing() -> None:
    text = f"made in November\n# by us\n{pem('p-256')}\n  and another:\r\n{pem('ed25519')}\n\n"
    assert len(keys(text).published()) == 2
    assert keys(pem("p-256").replace("\n", "\r\n")).signing_key() == keys(pem("p-256")).signing_key()


def test_what_openssl_ecparam_writes_first_is_no_key() -> None:
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert keys(parameters + pem("p-256", form=PrivateFormat.TraditionalOpenSSL)).published()


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
BAD: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "text only": lambda: "no key at all",
    "RSA of 1024 bits": lambda: pem("rsa-1024"),
    "RSA with the exponent 3": lambda: pem("rsa-e3"),
    "P-384": lambda: pem("p-384"),
    "secp256k1": lambda: pem("secp256k1"),
    "Ed448": lambda: pem("ed448"),
    "X25519": lambda: pem("x25519"),
    "DSA": lambda: pem("dsa"),
    "an encrypted key": lambda: pem("p-256", password="hunter2"),
    "an encrypted key of old": lambda: pem(
        "p-256", form=PrivateFormat.TraditionalOpenSSL, password="hunter2"
    ),
    "a public key": lambda: public_pem("p-256"),
    "a certificate": lambda: CERTIFICATE,
    "a good key and a certificate": lambda: pem("p-256") + CERTIFICATE,
    "a good key and a weak one": lambda: pem("p-256") + pem("rsa-1024"),
    "a key that is cut off": lambda: pem("p-256")[:-20],
    "a good key and half of one": lambda: pem("p-256") + pem("ed25519")[:60],
    "the end of a key alone": lambda: pem("p-256")[40:],
    "a key with another content": lambda: "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    "a shared secret": lambda: "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w",
    "a revoked key only": lambda: (
        f"revoked {PemKeys(pem('p-256'), setting=SETTING).signing_key().kid}\n" + pem("p-256")
    ),
    "nobody revoked": lambda: "revoked\n" + pem("p-256"),
    "a kid of another shape revoked": lambda: "revoked ../../etc\n" + pem("p-256"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_weak_or_strange_key_is_refused_by_the_name_of_its_setting_only(case: str) -> None:
    text = BAD[case]()
    with pytest.raises(ValueError, match=SETTING) as refused:
        keys(text)
    assert not any(line in str(refused.value) for line in text.splitlines() if len(line) > 8)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("part", ["d", "dmp1", "dmq1", "iqmp"])
def test_a_damaged_key_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match=f"{SETTING} holds a private key that cannot be read"):
        keys(damaged_rsa(part))


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
@given(data=st.data())
def test_a_key_with_a_changed_letter_is_refused_or_the_same_key(kind: str, data: st.DataObject) -> None:
    """Ed25519 is left out: any 32 bytes are such a key."""
    text = pem(kind)
    position = data.draw(st.integers(28, len(text) - 28))
    changed = text[:position] + data.draw(st.sampled_from("ABCxyz019+/")) + text[position + 1 :]
    try:
        found = keys(changed).signing_key()
    except ValueError:
        return
    assert found == keys(text).signing_key()


def test_a_token_of_one_kind_of_key_is_refused_where_its_name_belongs_to_another() -> None:
    """The header's algorithm is compared with the key's, and the key is found by its name alone."""
    token = issued(pem("ed25519"))
    with pytest.raises(Unauthenticated):
        verifier(pem("p-256")).verify(token)
    for algorithm, kind in GOOD_KINDS.items():
        made = keys(pem(kind)).signing_key()
        for secret in (public_pem(kind), public_pem(kind).encode(), made.kid):
            forged = _hmac_signed({"alg": "HS256", "typ": "at+jwt", "kid": made.kid}, secret)
            with pytest.raises(Unauthenticated):
                verifier(pem(kind)).verify(forged)
            lying = _hmac_signed({"alg": algorithm, "typ": "at+jwt", "kid": made.kid}, secret)
            with pytest.raises(Unauthenticated):
                verifier(pem(kind)).verify(lying)


def _hmac_signed(header: dict[str, str], secret: str | bytes) -> str:
    claims = json.dumps({**own_claims(), "aud": AUDIENCE}).encode()
    text = secret.decode() if isinstance(secret, bytes) else secret
    return own_shared().sealed(json.dumps(header).encode(), claims, key=text.encode())
