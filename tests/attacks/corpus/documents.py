"""Tokens whose documents are read differently by different readers, and texts that are no tokens at all."""

from __future__ import annotations

from joserfc import jwe
from joserfc.jwk import OctKey

from tests.attacks.corpus.minting import NOW, Mint, segment

HUGE = "1" + "0" * 400


def documents(mint: Mint) -> dict[str, str]:
    header, claims = mint.header_json, mint.claims_json
    subject, expiry = f'"sub": "{mint.claims["sub"]}"', f'"exp": {mint.claims["exp"]}'

    def saying(old: str, new: str) -> str:
        return mint.sealed(header, _replaced(claims, old, new))

    def headed(old: str, new: str) -> str:
        return mint.sealed(_replaced(header, old, new), claims)

    made = {
        "claim twice, bad one first": saying(subject, f'"sub": "eve", {subject}'),
        "claim twice, bad one last": saying(subject, f'{subject}, "sub": "eve"'),
        "claim twice, once escaped": saying(subject, f'{subject}, "s\\u0075b": "eve"'),
        "expiry twice": saying(expiry, f'"exp": {NOW - 99}, {expiry}'),
        "a claim that nobody reads, twice": saying(subject, f'{subject}, "x": 1, "x": 2'),
        "kid twice": headed('"kid"', '"kid": "other", "kid"'),
        "alg twice": headed('"alg"', '"alg": "none", "alg"'),
        "expiry NaN": saying(expiry, '"exp": NaN'),
        "expiry infinite": saying(expiry, '"exp": Infinity'),
        "expiry beyond all numbers": saying(expiry, '"exp": 1e999'),
        "expiry of 400 digits": saying(expiry, f'"exp": {HUGE}'),
        "claims with a byte that is not UTF-8": mint.sealed(
            header, _replaced(claims, subject, '"sub": "@"').replace(b"@", b"\xff")
        ),
    }
    payloads = {
        "a list": b"[]",
        "a string": b'"ada"',
        "null": b"null",
        "empty": b"",
        "not JSON": b"{sub: ada}",
        "in UTF-16": claims.decode().encode("utf-16"),
        "with a byte order mark": b"\xef\xbb\xbf" + claims,
        "followed by more": claims + b"{}",
        "nested deeply": b'{"a":' * 800 + b"1" + b"}" * 800,
        "another token": mint.good.encode(),
        "another token, as a string": b'"' + mint.good.encode() + b'"',
    }
    made |= {f"claims are {name}": mint.sealed(header, payload) for name, payload in payloads.items()}
    heads = {
        "a list": b"[]",
        "null": b"null",
        "empty": b"",
        "not JSON": b"alg=HS256",
        "not UTF-8": b'{"alg":"\xff"}',
        "nested deeply": b"[" * 2000 + b"]" * 2000,
        "in UTF-16": header.decode().encode("utf-16"),
    }
    return made | {f"header is {name}": mint.sealed(head, claims) for name, head in heads.items()}


def shapes(mint: Mint) -> dict[str, str]:
    good, head, body, sealed = mint.good, *mint.good.split(".")
    return {
        "empty": "",
        "a word": "token",
        "dots": "..",
        "many dots": "." * 5000,
        "JSON instead of a token": mint.claims_json.decode(),
        "a JSON serialisation": f'{{"payload": "{body}", "protected": "{head}", "signature": "{sealed}"}}',
        "an opaque refresh token": segment(bytes(range(32))),
        "over the limit": mint.token(claims={"padding": "x" * 9000}),
        "far over the limit": "A" * 1_000_000,
        "letters beyond ASCII": f"{head}.{body}.\u00e9{sealed[1:]}",
        "letters that look like ours": good.replace(good[3], "\u0430", 1),
        "a NUL": f"{good}\x00",
        "base64 of the token": segment(good.encode()),
        "quoted": f'"{good}"',
        "two tokens": f"{good},{good}",
        "two tokens with a blank": f"{good} {good}",
        "scheme twice": f"Bearer {good}",
        "standard base64 in the claims": f"{head}.{segment(b'??>>~~').translate(str.maketrans('-_', '+/'))}.{sealed}",
        "parts in padded base64": f"{head}==.{body}==.{sealed}",
        "encrypted (JWE, dir)": _encrypted(mint, "dir"),
        "encrypted (JWE, dir), with our kid": _encrypted(mint, "dir", kid=mint.kid),
        "nested: our token, encrypted": _encrypted(mint, "dir", payload=good.encode()),
        "nested: our token, signed again": mint.sealed(
            mint.header_json.replace(b'{"alg"', b'{"cty": "JWT", "alg"'), good.encode()
        ),
    }


def _encrypted(mint: Mint, algorithm: str, *, payload: bytes | None = None, kid: str = "x") -> str:
    key = OctKey.import_key(b"32 bytes that encrypt for nobody")
    protected = {"alg": algorithm, "enc": "A256GCM", "kid": kid, "typ": "at+jwt"}
    return jwe.encrypt_compact(protected, payload or mint.claims_json, key)


def _replaced(document: bytes, old: str, new: str) -> bytes:
    assert old in document.decode(), old
    return document.decode().replace(old, new).encode()
