"""What it costs to know who is asking: `python -m bench.token_time`, in microseconds, for a token seen before and for new ones.

In this process, through the same objects as in a worker; without the server, whose part `python -m bench` measures.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth.authenticator import Authenticator
from auth.keys import EDDSA, ES256, HS256, RS256, KeySet, SecretKeys
from auth.pem_keys import PemKeys
from auth.scopes import PREDICT
from auth.tokens import JwtVerifier, TokenIssuer
from bench.tokens import AUDIENCE, ISSUER, LIFE_SECONDS
from modelkit.errors import Unauthenticated

TOKENS, ROUNDS = 400, 9
SEEN_BEFORE = 200_000


@dataclass(frozen=True, kw_only=True)
class TokenTime:
    """Microseconds of one call, the median over rounds. `signing` makes a token, `refused` looks at a forged one."""

    algorithm: str
    seen_before: float
    new: float
    signing: float
    refused: float


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| key | seen before | new | signing | refused |")
    print("|---|---:|---:|---:|---:|")
    for found in measure_token_times():
        figures = (found.seen_before, found.new, found.signing, found.refused)
        print(f"| {found.algorithm} | {' | '.join(f'{figure:.2f}' for figure in figures)} |", flush=True)


def measure_token_times(
    *, tokens: int = TOKENS, repeats: int = SEEN_BEFORE, rounds: int = ROUNDS
) -> Iterator[TokenTime]:
    for algorithm, keys in made_keys():
        times = [_microseconds(keys, tokens, repeats) for _ in range(rounds)]
        seen, new, signing, refused = (median(column) for column in zip(*times, strict=True))
        yield TokenTime(algorithm=algorithm, seen_before=seen, new=new, signing=signing, refused=refused)


def made_keys() -> Iterator[tuple[str, KeySet]]:
    yield HS256, SecretKeys(secrets.token_urlsafe(48), setting="JWT_SECRET_KEY")
    for algorithm, private in (
        (RS256, rsa.generate_private_key(65537, 2048)),
        (ES256, ec.generate_private_key(ec.SECP256R1())),
        (EDDSA, ed25519.Ed25519PrivateKey.generate()),
    ):
        text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        yield algorithm, PemKeys(text, setting="JWT_SIGNING_KEY_FILE")


def _microseconds(keys: KeySet, tokens: int, repeats: int) -> tuple[float, float, float, float]:
    """Of one request: with a token seen before, with a new one, to sign one, and to refuse a forged one."""
    issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=LIFE_SECONDS, clock=time.time)
    verifier = JwtVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=time.time)
    authenticator = Authenticator([verifier], clock=time.time)
    headers: list[bytes] = []

    def sign() -> None:
        token = issuer.issue(subject="bench", scopes=frozenset({PREDICT})).access_token
        headers.append(f"Bearer {token}".encode())

    signing = _each(sign, tokens)
    waiting = iter(headers)
    new = _each(lambda: authenticator.authenticate(next(waiting)), tokens)
    again = arrivals(headers)
    seen = _each(lambda: authenticator.authenticate(next(again)), repeats)
    forged = iter([_forged(header) for header in headers])
    refused = _each(lambda: _refusal(authenticator, next(forged)), tokens)
    return seen - _each(lambda: next(again), repeats), new, signing, refused


def arrivals(headers: list[bytes]) -> Iterator[bytes]:
    """Without end, each a new object as a server makes for every request: one that came before knows its hash already."""
    return (bytes(memoryview(header)) for header in cycle(headers))


def _forged(header: bytes) -> bytes:
    """The same under another signature of the right length."""
    head, _, signature = header.rpartition(b".")
    return head + b"." + (b"A" if signature[:1] != b"A" else b"B") + signature[1:]


def _refusal(authenticator: Authenticator, header: bytes) -> None:
    try:
        authenticator.authenticate(header)
    except Unauthenticated:
        return
    raise AssertionError("a forged token was believed")


def _each(call: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        call()
    return 1e6 * (time.perf_counter() - started) / count


if __name__ == "__main__":
    main()
