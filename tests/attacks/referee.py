"""The service's own verifiers, wired as a worker wires them, before which the corpus is brought."""

from __future__ import annotations

from pathlib import Path

from auth.authenticator import Authenticator
from auth.gate import Gate
from auth.issuer_choice import ExternalIssuers, IssuerChoice
from auth.jwk_sets import jwk_set_of
from auth.keys import FixedKeys, KeyList, read_secrets
from auth.pem_keys import read_pem_keys
from auth.policy import PolicyFile
from auth.principal import Principal
from auth.tokens import JwtVerifier
from modelkit.errors import Unauthenticated
from tests.attacks.corpus.minting import NOW
from tests.attacks.corpus.mints import (
    AUDIENCE,
    ISSUER,
    OWN_ALGORITHMS,
    POLICY,
    SECRET,
    own_pair,
    pem,
    published,
)
from tests.fakes.clock import FakeClock

REFUSALS = frozenset({(401, "the token is not valid"), (401, "the token has expired")})


class Referee:
    """A gate that believes all the mints at once, as an attack may play one off against another; `alone`: only ours."""

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        file, clock = folder / f"policy-{alone}.toml", FakeClock(NOW)
        file.write_text("" if alone else POLICY, encoding="utf-8")
        policy = PolicyFile(file, audience=AUDIENCE, own_issuer=ISSUER)
        others = ExternalIssuers(policy, clock=clock, leeway_seconds=5.0)
        others.by_iss()
        for name, ring in others.rings.items():
            ring.replace(jwk_set_of({"keys": published(name)}))
        own = JwtVerifier(own_keys(), issuer=ISSUER, audience=AUDIENCE, clock=clock)
        choice = IssuerChoice(own, others, own_iss=ISSUER)
        self.gate = Gate(Authenticator([choice], clock=clock), open_paths=frozenset())

    def admits(self, token: str) -> Principal | None:
        """Whoever the token lets in. Anything but a clean refusal, which tells no more than any other, is an error."""
        try:
            return self.gate.admit("/predict/iris", [(b"authorization", header_of(token))])
        except Unauthenticated as error:
            refusal = error
        assert (refusal.status, refusal.detail) in REFUSALS
        assert dict(refusal.headers)["WWW-Authenticate"].startswith(
            'Bearer realm="slipway", error="invalid_token"'
        )
        return None

    def let_in(self, tokens: dict[str, str]) -> list[str]:
        return [name for name, token in tokens.items() if self.admits(token) is not None]


def header_of(token: str) -> bytes:
    return b"Bearer " + token.encode("utf-8", "surrogatepass")


def own_keys() -> FixedKeys:
    """Ours of every kind: the shared secret, and a key pair for each algorithm."""
    pairs = "".join(pem(own_pair(algorithm).key) for algorithm in OWN_ALGORITHMS)
    shared, paired = read_secrets(SECRET, setting="KEY"), read_pem_keys(pairs, setting="KEY")
    return FixedKeys(KeyList(keys=(*shared.keys, *paired.keys)), setting="KEY")
