"""One issuer is asked about a token: the one that it names. And what changes with the policy."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from auth.authenticator import Authenticator
from auth.issuer_choice import ExternalIssuers, IssuerChoice
from auth.jwk_sets import parse_jwk_set
from auth.policy import PolicyFile
from auth.principal import Principal
from modelkit.errors import TokenExpired, Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.identity import FixedIssuer
from tests.fakes.provider_keys import Signer, access_claims

NOW = 1_800_000_000.0


def block(name: str) -> str:
    iss = f"https://{name}.example"
    return f'[[issuers]]\nname = "{name}"\nissuer = "{iss}"\njwks_url = "{iss}/jwks"\n'


def grant(name: str, scope: str) -> str:
    return f'[[grants]]\nissuer = "{name}"\nsubject = "*"\nscopes = ["{scope}"]\n'


class Believed:
    """Ourselves and the issuers of a policy file, behind an authenticator."""

    def __init__(self, folder: Path, text: str, *, own: FixedIssuer | None = None) -> None:
        self.path, self.clock = folder / "policy.toml", FakeClock(NOW)
        self.write(text)
        self.policy = PolicyFile(self.path, audience="slipway", own_issuer="slipway", clock=self.clock)
        self.others = ExternalIssuers(self.policy, clock=self.clock, leeway_seconds=5.0)
        self.choice = IssuerChoice(own, self.others, own_iss="slipway")
        self.authenticator = Authenticator([self.choice], clock=self.clock)

    def write(self, text: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.path)

    def give_keys(self, name: str, *signers: Signer) -> None:
        self.others.by_iss()
        raw = json.dumps({"keys": [signer.public() for signer in signers]}).encode()
        if self.others.rings[name].replace(parse_jwk_set(raw)):
            self.others.keys_changed()

    def caller(self, token: str) -> Principal:
        return self.authenticator.authenticate(f"Bearer {token}".encode())

    def is_refused(self, token: str) -> bool:
        try:
            self.caller(token)
        except Unauthenticated:
            return True
        return False


def token(name: str, signer: Signer, *, now: float = NOW, iss: str | None = None) -> str:
    return signer.sign(access_claims(iss or f"https://{name}.example", now=now))


def test_each_issuer_is_asked_about_its_own_tokens(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one") + block("two"), own=FixedIssuer("slipway"))
    believed.give_keys("one", Signer())
    believed.give_keys("two", Signer("ES256"))
    assert believed.caller(token("one", Signer())).subject == "one:ada"
    assert believed.caller(token("two", Signer("ES256"))).subject == "two:ada"


def test_an_issuer_speaks_for_nobody_else(tmp_path: Path) -> None:
    own = FixedIssuer("slipway")
    believed = Believed(tmp_path, block("one") + block("two"), own=own)
    believed.give_keys("one", Signer())
    believed.give_keys("two", Signer("ES256"))
    assert believed.is_refused(token("two", Signer()))
    assert believed.is_refused(token("one", Signer(), iss="slipway"))
    assert len(own.asked) == 1


def test_nobody_is_asked_about_the_token_of_a_stranger(tmp_path: Path) -> None:
    own = FixedIssuer("slipway")
    believed = Believed(tmp_path, block("one"), own=own)
    for stranger in (token("three", Signer()), "a.b.c", "a.W10.c", "", "x"):
        assert believed.is_refused(stranger)
    assert own.asked == []


def test_without_keys_of_our_own_only_the_others_are_believed(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one"))
    believed.give_keys("one", Signer())
    assert believed.caller(token("one", Signer())).subject == "one:ada"
    assert believed.is_refused(token("one", Signer(), iss="slipway"))


def test_an_expired_token_is_counted_for_its_issuer(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one"), own=FixedIssuer("slipway"))
    believed.give_keys("one", Signer())
    with pytest.raises(TokenExpired) as refused:
        believed.caller(token("one", Signer(), now=NOW - 600))
    assert refused.value.issuer == "one"


def test_a_key_that_left_the_set_takes_its_remembered_tokens_along(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one"))
    believed.give_keys("one", Signer(), Signer("RS256", "second"))
    first, second = token("one", Signer()), token("one", Signer("RS256", "second"))
    assert not believed.is_refused(first)
    assert not believed.is_refused(second)
    believed.give_keys("one", Signer("RS256", "second"))
    believed.clock.now += 1.0
    assert believed.is_refused(first)
    assert not believed.is_refused(second)


def test_the_same_keys_again_forget_nothing(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one"))
    believed.give_keys("one", Signer())
    before = believed.choice.generation()
    believed.give_keys("one", Signer())
    assert believed.choice.generation() == before


def test_a_new_edition_of_the_policy_holds_for_remembered_tokens(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one") + grant("one", "predict"))
    believed.give_keys("one", Signer())
    used = token("one", Signer())
    assert believed.caller(used).scopes == {"predict"}
    believed.write(block("one") + grant("one", "read"))
    believed.clock.now += 1.0
    assert believed.caller(used).scopes == {"read"}


def test_an_issuer_that_is_believed_no_more_is_refused(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one") + block("two"))
    believed.give_keys("one", Signer())
    used = token("one", Signer())
    assert not believed.is_refused(used)
    believed.write(block("two"))
    believed.clock.now += 1.0
    assert believed.is_refused(used)


def test_keys_from_another_place_are_not_those_of_an_issuer_that_moved(tmp_path: Path) -> None:
    believed = Believed(tmp_path, block("one"))
    believed.give_keys("one", Signer())
    believed.write(block("one").replace("/jwks", "/keys"))
    believed.clock.now += 1.0
    assert believed.is_refused(token("one", Signer()))
    assert believed.others.rings["one"].keys is None
