"""Tokens of other issuers: what passes, and that each rule by itself keeps something out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auth.external_tokens import ExternalVerifier, KeyRing
from auth.jwk_sets import parse_jwk_set
from auth.policy import parse_policy
from modelkit.errors import TokenExpired, Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.provider_keys import KINDS, Signer, access_claims, service_account_claims

NOW = 1_800_000_000.0
ISS = "https://id.example.com"
CLUSTER_ISS = "https://kubernetes.default.svc.cluster.local"
CORP = f'[[issuers]]\nname = "corp"\nissuer = "{ISS}"\njwks_url = "{ISS}/jwks"\n'
CLUSTER = f'[[issuers]]\nname = "cluster"\nkind = "kubernetes"\nissuer = "{CLUSTER_ISS}"\n'
GRANTS = '[[grants]]\nissuer = "corp"\nsubject = "ada"\nscopes = ["predict:iris"]\n'
PLAIN = 'types = ["at+jwt", "JWT", "none"]\n'


def verifier(text: str, *keys: dict[str, Any], now: float = NOW) -> ExternalVerifier:
    policy = parse_policy(text.encode(), audience="slipway", own_issuer="slipway")
    ring = KeyRing()
    ring.replace(parse_jwk_set(json.dumps({"keys": list(keys)}).encode()))
    return ExternalVerifier(policy.issuers[0], ring, policy=policy, clock=FakeClock(now), leeway_seconds=5.0)


def corp(more: str = "", *, grants: str = GRANTS) -> ExternalVerifier:
    return verifier(CORP + more + grants, Signer().public())


def claims(**changes: Any) -> dict[str, Any]:
    return access_claims(ISS, now=NOW, **changes)


def refuses(issuer: ExternalVerifier, token: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refused:
        issuer.verify(token)
    assert refused.value.issuer == issuer.name
    return refused.value


@pytest.mark.parametrize("algorithm", sorted(KINDS))
@pytest.mark.parametrize("maker", ["joserfc", "pyjwt"])
def test_each_algorithm_is_verified_whoever_made_the_token(algorithm: str, maker: str) -> None:
    signer = Signer(algorithm)
    issuer = verifier(CORP + f'algorithms = ["{algorithm}"]\n', signer.public())
    sign = signer.sign if maker == "joserfc" else signer.sign_with_pyjwt
    assert issuer.verify(sign(claims())).subject == "corp:ada"


def test_a_caller_is_named_after_the_issuer_and_has_what_the_policy_grants() -> None:
    caller = corp().verify(Signer().sign(claims(jti="7f", scope="admin", scp="admin", roles=["admin"])))
    assert (caller.subject, caller.issuer, caller.token_id) == ("corp:ada", "corp", "corp:7f")
    assert (caller.scopes, caller.user_id, caller.session_id) == ({"predict:iris"}, None, None)
    assert (caller.issued_at, caller.expires_at) == (NOW, NOW + 300)


def test_a_caller_without_a_grant_is_known_and_may_do_nothing() -> None:
    assert corp().verify(Signer().sign(claims(sub="eve"))).scopes == frozenset()


def test_nobody_can_be_taken_for_one_of_our_users() -> None:
    assert corp().verify(Signer().sign(claims(sub="slipway:ada"))).subject == "corp:slipway:ada"


def test_a_token_without_a_name_of_its_own_is_named_by_its_digest() -> None:
    one, two = (corp().verify(Signer().sign(claims(jti=None, sub=sub))).token_id for sub in ("ada", "bob"))
    assert one.startswith("corp:")
    assert one != two
    long = corp().verify(Signer().sign(claims(jti="x" * 200))).token_id
    assert len(long) < 50


GOOD: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "as made": ("", {}, {}),
    "several audiences": ("", {"aud": ["other", "slipway"]}, {}),
    "the type in full": ("", {}, {"typ": "application/AT+JWT"}),
    "headers that nobody here reads": ("", {}, {"x5t": "abc", "pi.atm": "1"}),
    "clock ahead by the leeway": ("", {"iat": NOW + 4, "nbf": NOW + 4}, {}),
    "expired within the leeway": ("", {"iat": NOW - 300, "exp": NOW - 4}, {}),
    "times with fractions": ("", {"iat": NOW - 0.5, "exp": NOW + 100.5}, {}),
    "no kid, and one key": ("", {}, {"kid": None}),
    "a plain type with a scope": (PLAIN, {}, {"typ": "JWT"}),
    "no type with a client": (PLAIN, {"scope": None}, {"typ": None}),
    "what the policy requires": (
        PLAIN + 'require = { typ = "Bearer" }\n',
        {"typ": "Bearer", "scope": None, "client_id": None},
        {"typ": "JWT"},
    ),
    "an ID token where there is nothing else": (
        "id_tokens = true\n",
        {"nonce": "n", "at_hash": "h", "scope": None, "client_id": None},
        {"typ": "JWT"},
    ),
    "a subject of the world": ("", {"sub": "Åda Łovelace"}, {}),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_token_passes(name: str) -> None:
    more, changes, header = GOOD[name]
    assert corp(more).verify(Signer().sign(claims(**changes), header)).issuer == "corp"


BAD: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "another issuer": ("", {"iss": ISS + "/"}, {}),
    "ourselves": ("", {"iss": "slipway"}, {}),
    "another audience": ("", {"aud": "other"}, {}),
    "an audience that begins like ours": ("", {"aud": "slipway-dev"}, {}),
    "an audience in other letters": ("", {"aud": ["Slipway"]}, {}),
    "no audience": ("", {"aud": None}, {}),
    "an audience of another kind": ("", {"aud": {"slipway": 1}}, {}),
    "no end": ("", {"exp": None}, {}),
    "an end in words": ("", {"exp": "2099-01-01"}, {}),
    "no beginning": ("", {"iat": None}, {}),
    "issued in the future": ("", {"iat": NOW + 60}, {}),
    "not yet": ("", {"nbf": NOW + 60}, {}),
    "a life too long": ("", {"exp": NOW + 3700}, {}),
    "a life too long for the policy": ("max_ttl_seconds = 60\n", {}, {}),
    "an end before its beginning": ("", {"exp": NOW - 1, "iat": NOW}, {}),
    "no subject": ("", {"sub": None}, {}),
    "an empty subject": ("", {"sub": ""}, {}),
    "a number as subject": ("", {"sub": 7}, {}),
    "a subject with a line break": ("", {"sub": "ada\nroot"}, {}),
    "a subject with a blank at its end": ("", {"sub": "ada "}, {}),
    "a subject that turns around": ("", {"sub": "ada\u202e"}, {}),
    "a subject too long": ("", {"sub": "a" * 256}, {}),
    "a plain type": ("", {}, {"typ": "JWT"}),
    "no type": ("", {}, {"typ": None}),
    "a logout token": (PLAIN, {}, {"typ": "logout+jwt"}),
    "a logout token of old": (PLAIN, {"events": {"x": {}}}, {"typ": "JWT"}),
    "an ID token": (PLAIN, {"nonce": "n"}, {"typ": "JWT"}),
    "an ID token of a code flow": (PLAIN, {"at_hash": "h"}, {"typ": "JWT"}),
    "an ID token without marks": (PLAIN, {"scope": None, "client_id": None, "azp": "shop"}, {"typ": "JWT"}),
    "an ID token of Keycloak": (PLAIN, {"typ": "ID"}, {"typ": "JWT"}),
    "a refresh token of Keycloak": (PLAIN, {"typ": "Refresh"}, {"typ": "JWT"}),
    "a refresh token where ID tokens pass": ("id_tokens = true\n", {"typ": "Refresh"}, {"typ": "JWT"}),
    "an ID token of Cognito": (PLAIN, {"token_use": "id"}, {"typ": "JWT"}),
    "without what the policy requires": (PLAIN + 'require = { typ = "Bearer" }\n', {}, {"typ": "JWT"}),
    "an access token without what the policy requires": ('require = { tenant = "x" }\n', {}, {}),
    "another algorithm of the same key": ("", {}, {"alg": "PS256"}),
    "keys elsewhere": ("", {}, {"jku": "https://evil.example/jwks"}),
    "certificates elsewhere": ("", {}, {"x5u": "https://evil.example/x5c"}),
    "a key of its own": ("", {}, {"jwk": Signer("RS256", "evil").public()}),
    "a certificate of its own": ("", {}, {"x5c": ["MII"]}),
    "a token in a token": ("", {}, {"cty": "JWT"}),
    "another compression": ("", {}, {"zip": "DEF"}),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_token_is_refused(name: str) -> None:
    more, changes, header = BAD[name]
    signer = Signer("PS256") if header.get("alg") == "PS256" else Signer()
    assert not refuses(corp(more), signer.sign(claims(**changes), header)).key_missing


def test_a_token_that_was_good_once_has_expired() -> None:
    with pytest.raises(TokenExpired) as refused:
        corp().verify(Signer().sign(claims(iat=NOW - 300, exp=NOW - 6)))
    assert refused.value.issuer == "corp"


def test_whether_a_token_has_expired_is_told_only_of_real_ones() -> None:
    token = Signer().sign(claims(iat=NOW - 300, exp=NOW - 6))
    head, body, signature = token.split(".")
    assert not isinstance(refuses(corp(), f"{head}.{body}.{signature[::-1]}"), TokenExpired)


def test_a_member_that_is_there_twice_is_refused() -> None:
    import base64

    head, body, signature = Signer().sign(claims()).split(".")
    twice = b'{"sub":"root",' + base64.urlsafe_b64decode(body + "==")[1:]
    forged = base64.urlsafe_b64encode(twice).decode().rstrip("=")
    refuses(corp(), f"{head}.{forged}.{signature}")


def test_a_huge_token_is_refused_unread() -> None:
    refuses(corp(), Signer().sign(claims(groups=["x" * 100] * 100)))


def test_a_token_has_one_spelling() -> None:
    token = Signer().sign(claims())
    for spelling in (token + "=", token + "==", token + ".", "." + token, token + "\n", token[:-1] + "+"):
        refuses(corp(), spelling)


class TestKeys:
    def test_an_unknown_key_may_become_known(self) -> None:
        assert refuses(corp(), Signer("RS256", "second").sign(claims())).key_missing

    def test_before_the_first_set_every_key_may_become_known(self) -> None:
        policy = parse_policy(CORP.encode(), audience="slipway", own_issuer="slipway")
        issuer = ExternalVerifier(
            policy.issuers[0], KeyRing(), policy=policy, clock=FakeClock(NOW), leeway_seconds=5.0
        )
        assert refuses(issuer, Signer().sign(claims())).key_missing

    @pytest.mark.parametrize(
        "changes",
        [{"aud": "other"}, {"exp": NOW - 60, "iat": NOW - 90}, {"sub": None}],
        ids=["aud", "exp", "sub"],
    )
    def test_no_key_is_asked_for_on_behalf_of_a_token_that_cannot_pass(self, changes: dict[str, Any]) -> None:
        assert not refuses(corp(), Signer("RS256", "second").sign(claims(**changes))).key_missing

    @pytest.mark.parametrize(
        "kid", ["../../etc/passwd", "https://evil.example/k", "' OR 1=1 --", "", "x" * 513]
    )
    def test_a_kid_is_nothing_but_a_name(self, kid: str) -> None:
        refuses(corp(), Signer().sign(claims(), {"kid": kid}))

    def test_the_right_kid_with_another_key_is_refused(self) -> None:
        assert not refuses(corp(), Signer("RS256", "evil", kid=Signer().kid).sign(claims())).key_missing

    def test_a_token_without_a_kid_fits_only_where_there_is_no_choice(self) -> None:
        issuer = verifier(CORP, Signer().public(), Signer("RS256", "second").public())
        assert not refuses(issuer, Signer().sign(claims(), {"kid": None})).key_missing
        other_kind = verifier(CORP, Signer().public(), Signer("ES256").public())
        assert other_kind.verify(Signer().sign(claims(), {"kid": None})).subject == "corp:ada"

    @pytest.mark.parametrize(
        "members",
        [
            {"use": "enc"},
            {"alg": "RS384"},
            {"alg": "HS256"},
            {"alg": 7},
            {"key_ops": ["encrypt"]},
            {"kty": "oct"},
        ],
        ids=str,
    )
    def test_a_key_for_something_else_is_none(self, members: dict[str, Any]) -> None:
        refuses(verifier(CORP, Signer().public(**members)), Signer().sign(claims()))

    def test_a_key_without_use_or_algorithm_verifies_what_its_kind_can(self) -> None:
        issuer = verifier(CORP, Signer().public(use=None, alg=None))
        assert issuer.verify(Signer().sign(claims())).subject == "corp:ada"

    def test_a_private_key_that_its_provider_shows_to_everybody_is_none(self) -> None:
        shown = {**Signer().key.as_dict(private=True), "kid": Signer().kid}
        refuses(verifier(CORP, shown), Signer().sign(claims()))

    def test_a_key_that_is_left_out_of_the_algorithms_is_none(self) -> None:
        issuer = verifier(CORP + 'algorithms = ["ES256"]\n', Signer().public())
        assert not refuses(issuer, Signer().sign(claims())).key_missing


class TestServiceAccounts:
    def issuer(self) -> ExternalVerifier:
        granted = (
            '[[grants]]\nissuer = "cluster"\nsubject = "system:serviceaccount:shop:*"\n'
            'scopes = ["predict:order-delivery"]\n'
        )
        return verifier(CLUSTER + granted, Signer().public())

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        return Signer().sign(
            service_account_claims(CLUSTER_ISS, now=NOW, **changes), {"typ": None, **(header or {})}
        )

    def test_a_pod_calls_with_the_token_of_its_service_account(self) -> None:
        caller = self.issuer().verify(self.token())
        assert caller.subject == "cluster:system:serviceaccount:shop:web"
        assert caller.scopes == {"predict:order-delivery"}
        assert caller.expires_at == NOW + 3600

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": ["https://kubernetes.default.svc"]},
            {"kubernetes.io": None},
            {"kubernetes.io": {"namespace": "other", "serviceaccount": {"name": "web"}}},
            {"kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "api"}}},
            {"kubernetes.io": {"namespace": "shop"}},
            {"kubernetes.io": "shop"},
            {"sub": "system:serviceaccount:shop:root"},
            {"exp": None},
            {"exp": NOW + 86_400},
        ],
        ids=str,
    )
    def test_what_a_cluster_does_not_make_for_us_is_refused(self, changes: dict[str, Any]) -> None:
        refuses(self.issuer(), self.token(**changes))

    def test_another_type_is_refused(self) -> None:
        refuses(self.issuer(), self.token({"typ": "at+jwt"}))

    def test_a_bound_token_expires(self) -> None:
        with pytest.raises(TokenExpired):
            self.issuer().verify(self.token(iat=NOW - 3600, nbf=NOW - 3600, exp=NOW - 6))
