"""Tricks with algorithms, signatures and keys."""

from __future__ import annotations

import json
from typing import Any

from tests.attacks.corpus.minting import HASHES, Mint, Private, segment, signature

PEM = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
NONE = ("none", "None", "nOnE", "NONE", "none ", "\tnone", "no\u006ee")


def algorithms(mint: Mint) -> dict[str, str]:
    made = {
        "alg empty": _relabelled(mint, ""),
        "alg missing": mint.token(without="alg"),
        "alg null": mint.token(header={"alg": None}),
        "alg a list": mint.token(header={"alg": [mint.algorithm]}),
        "alg in lower case": mint.token(header={"alg": mint.algorithm.swapcase()}),
        "alg unknown": mint.token(header={"alg": "XX999"}),
        "a public key of nobody as secret": mint.token(header={"alg": "HS256"}, key=PEM, algorithm="HS256"),
    }
    for spelling in NONE:
        made[f"alg {spelling!r}"] = _unsigned(mint, spelling)
        made[f"alg {spelling!r} with a signature"] = _relabelled(mint, spelling)
    others = ("HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "ES256K")
    for other in others:
        if other != mint.algorithm:
            made[f"alg {other} over a signature of another"] = mint.token(header={"alg": other})
            made[f"alg {other} with its signature kept"] = _relabelled(mint, other)
    return made | _confusions(mint)


def _confusions(mint: Mint) -> dict[str, str]:
    """The public key as a shared secret; and the right key with another algorithm of its kind."""
    made = {}
    for spelling, secret in mint.public_spellings().items():
        for size in HASHES:
            forged = mint.token(header={"alg": f"HS{size}"}, key=secret, algorithm=f"HS{size}")
            made[f"public key as secret, {spelling}, HS{size}"] = forged
            kept = mint.token(key=secret, algorithm=f"HS{size}")
            made[f"public key as secret, {spelling}, HS{size} unsaid"] = kept
    relatives = {"H": ("HS384", "HS512"), "R": ("RS384", "RS512", "PS256", "PS512")}
    for relative in relatives.get(mint.algorithm[0], ()):
        made[f"{relative} with our key"] = mint.token(header={"alg": relative}, algorithm=relative)
    return made


def signatures(mint: Mint) -> dict[str, str]:
    good, head, body, sealed = mint.good, *mint.good.split(".")
    eve = mint.token(claims={"sub": "eve", "jti": "of eve"}).split(".")
    last = "A" if good[-2] != "A" else "Q"
    return {
        "no signature": f"{head}.{body}.",
        "no third part": f"{head}.{body}",
        "signature of another key": mint.token(key=mint.other_key),
        "signature cut short": good[:-4],
        "signature too long": good + "AAAA",
        "signature with another last letter": good[:-2] + last + good[-1],
        "signature in another spelling": good[:-1] + _respelled(good[-1]),
        "signature with one letter more": good + "A",
        "signature of zeros": f"{head}.{body}.{segment(bytes(len(sealed) * 3 // 4))}",
        "signature of one zero": f"{head}.{body}.AA",
        "signature of another token": f"{head}.{body}.{eve[2]}",
        "claims of another token": f"{head}.{eve[1]}.{sealed}",
        "header of another token": f"{segment(b' ' + mint.header_json)}.{body}.{sealed}",
        "four parts": f"{good}.{sealed}",
        "five parts, as if encrypted": f"{good}.{body}.{sealed}",
        "parts joined by line breaks": good.replace(".", ".\n"),
        "signature with padding": f"{good}==",
        "signature with line break": f"{good}\n",
        "signature with junk letters": f"{good}!!!!",
        "leading blank": f" {good}",
        "leading tab": f"\t{good}",
        "signature in standard base64": f"{head}.{body}.{segment(bytes([251, 255]) * 16).translate(_STANDARD)}",
        "HMAC of an empty key": mint.token(header={"alg": "HS256"}, key=b"", algorithm="HS256"),
        "HMAC of the key's name": mint.token(
            header={"alg": "HS256"}, key=mint.kid.encode(), algorithm="HS256"
        ),
        "signed under our kid, unsaid algorithm": mint.token(key=mint.other_key, without="alg"),
    }


def _respelled(last: str) -> str:
    """The same bytes: the lowest bits of the last letter of a signature mean nothing (RFC 4648, section 3.5)."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return letters[letters.index(last) ^ 1]


_STANDARD = str.maketrans("-_", "+/")


def key_tricks(mint: Mint, *, listener: str = "https://evil.example") -> dict[str, str]:
    """`listener` is where a verifier would end up that follows what a header says."""
    made = _kids(mint, listener) | _carried_keys(mint, listener)
    made |= {
        "crit unknown": mint.token(header={"crit": ["exp-soon"], "exp-soon": True}),
        "crit empty": mint.token(header={"crit": []}),
        "crit of a name we know": mint.token(header={"crit": ["exp"], "exp": 1}),
        "crit no list": mint.token(header={"crit": "b64"}),
        "b64 false": mint.token(header={"b64": False, "crit": ["b64"]}),
        "b64 false, and unsaid": mint.token(header={"b64": False}),
        "b64 false, claims as they are": _unencoded(mint),
    }
    return made


def _kids(mint: Mint, listener: str) -> dict[str, str]:
    key = mint.other_key
    kids: dict[str, Any] = {
        "unknown": "0123456789abcdef",
        "empty": "",
        "null": None,
        "a number": 7,
        "a list": [mint.kid],
        "an object": {"kid": mint.kid},
        "a path": "../../../../dev/null",
        "an absolute path": "/proc/self/environ",
        "a file URL": "file:///dev/null",
        "SQL": "x' UNION SELECT 'secret' --",
        "a command": "| id",
        "a URL": f"{listener}/key",
        "in another case": mint.kid.swapcase(),
        "with a NUL": f"{mint.kid}\u0000",
        "with a blank": f"{mint.kid} ",
        "huge": "k" * 5000,
    }
    empty: Private = b""
    made = {f"kid {name}": mint.token(header={"kid": kid}) for name, kid in kids.items()}
    made |= {
        f"kid {name}, another key": mint.token(header={"kid": kid}, key=key) for name, kid in kids.items()
    }
    made["kid a path, an empty secret"] = mint.token(
        header={"kid": "../../../../dev/null", "alg": "HS256"}, key=empty, algorithm="HS256"
    )
    return made


def _carried_keys(mint: Mint, listener: str) -> dict[str, str]:
    """Headers that bring the key along, or say where to fetch it: with that key's signature, and beside a good one."""
    jwk = {"kty": "oct", "k": segment(b"another secret, of 32 bytes or so"), "kid": mint.kid, "alg": "HS256"}
    carried: dict[str, Any] = {
        "jwk": jwk,
        "jku": f"{listener}/jwks.json",
        "x5u": f"{listener}/cert.pem",
        "x5c": ["MIIB"],
    }
    made = {}
    for name, value in carried.items():
        made[name] = mint.token(header={name: value}, key=mint.other_key)
        made[f"{name} beside our signature"] = mint.token(header={name: value})
    return made


def _unsigned(mint: Mint, algorithm: str) -> str:
    header = json.dumps({**mint.header, "alg": algorithm}).encode()
    return f"{segment(header)}.{segment(mint.claims_json)}."


def _relabelled(mint: Mint, algorithm: str) -> str:
    """The header says another algorithm; the signature stays that of the good token."""
    return _unsigned(mint, algorithm) + mint.good.rpartition(".")[2]


def _unencoded(mint: Mint) -> str:
    """RFC 7797, section 3: the payload is not encoded."""
    head = segment(json.dumps({**mint.header, "b64": False, "crit": ["b64"]}).encode())
    signed = f"{head}.".encode() + mint.claims_json
    made = segment(signature(mint.algorithm, mint.key, signed))
    return f"{head}.{mint.claims_json.decode()}.{made}"
