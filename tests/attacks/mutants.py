"""Each check of the verifiers, as the patches that take it away; some are made in two places, and are taken from both."""

from __future__ import annotations

from dataclasses import dataclass

TOKENS, FORMAT, CHOICE = "auth/tokens.py", "auth/token_format.py", "auth/issuer_choice.py"
EXTERNAL, EXTERNAL_FORMAT = "auth/external_tokens.py", "auth/external_format.py"
EVIDENCE, SETS, RULES = "auth/token_evidence.py", "auth/jwk_sets.py", "auth/policy_rules.py"
AUTHENTICATOR, GATE, SCOPES = "auth/authenticator.py", "auth/gate.py", "auth/scopes.py"


@dataclass(frozen=True)
class Patch:
    file: str
    old: str
    new: str


def _own(old: str, new: str) -> Patch:
    return Patch(TOKENS, old, new)


def _theirs(old: str, new: str) -> Patch:
    return Patch(EXTERNAL, old, new)


ANY_ALGORITHM = 'PyJWS(algorithms=["HS256", "HS384", "HS512", "RS256", "RS384", "PS256", "ES256", "EdDSA"])'
UNSIGNED = 'options={"verify_signature": False})'

GREEDY = """def _greedy(unproven: Unproven) -> frozenset[str]:
    return frozenset(str(unproven.claims.get("scope", "")).split())


def _token_id("""

OWN: dict[str, list[Patch]] = {
    "the signature": [_own("algorithms=[key.algorithm])", f"algorithms=[key.algorithm], {UNSIGNED}")],
    "one algorithm for a key": [
        _own(" or header.alg != key.algorithm", ""),
        _own("algorithms=[key.algorithm])", "algorithms=[header.alg])"),
        _own("jwt.PyJWS(algorithms=list(ALGORITHMS))", f"jwt.{ANY_ALGORITHM}"),
    ],
    "kid names a key": [
        _own(
            "self._keys.verification_key(header.kid)",
            "self._keys.verification_key(header.kid) or self._keys.signing_key()",
        )
    ],
    "typ": [_own(" or header.typ.lower() not in ACCEPTED_TYPES", "")],
    "iss": [_own("claims.iss != self.name or ", "")],
    "aud": [_own(" or claims.aud != self._audience", "")],
    "iat": [_own("max(claims.iat, claims.nbf)", "claims.nbf")],
    "nbf": [_own("max(claims.iat, claims.nbf)", "claims.iat")],
    "exp": [_own("claims.exp <= now - self._leeway", "False")],
    "the leeway is short": [_own("now - self._leeway", "now - 3600")],
    "one spelling": [_own("not COMPACT.fullmatch(token)", "False")],
    "the length": [
        _own("MAX_TOKEN_LENGTH = 8192", "MAX_TOKEN_LENGTH = 2_000_000"),
    ],
    "header members that nobody needs": [
        Patch(
            FORMAT,
            "class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True)",
            "class Header(msgspec.Struct, frozen=True)",
        )
    ],
    "repeated members": [Patch(FORMAT, "if len(members) != len(pairs):", "if False:")],
    "control characters": [Patch(FORMAT, r', pattern=r"^[^\x00-\x1f\x7f]+\Z"', "")],
    "length of names": [Patch(FORMAT, "max_length=255, ", "")],
    "the moment within its second": [
        Patch(FORMAT, "msgspec.Meta(ge=0, lt=1_000_000)", "msgspec.Meta()"),
    ],
    "bounds of a user's id": [Patch(FORMAT, "msgspec.Meta(ge=1, le=2**63 - 1)", "msgspec.Meta()")],
    "required claims": [
        Patch(FORMAT, "    jti: PlainText\n    exp: Moment\n", "    exp: Moment\n    jti: PlainText = ''\n"),
        Patch(FORMAT, "    iat: Moment\n    nbf", "    iat: Moment = 0\n    nbf"),
    ],
    "characters of scopes": [Patch(SCOPES, "if not _SCOPE.fullmatch(scope):", "if False:")],
}

OTHERS: dict[str, list[Patch]] = {
    "the signature": [
        _theirs("algorithms=[unproven.header.alg])", f"algorithms=[unproven.header.alg], {UNSIGNED}")
    ],
    "allowed algorithms": [
        _theirs("header.alg not in issuer.algorithms or ", ""),
        _theirs("jwt.PyJWS(algorithms=list(issuer.algorithms))", f"jwt.{ANY_ALGORITHM}"),
    ],
    "allowed types": [_theirs(" or header.type not in issuer.types", "")],
    "iss": [
        _theirs("claims.iss != issuer.issuer or ", ""),
        Patch(CHOICE, "others.get(iss)", "next(iter(others.values()))"),
    ],
    "aud": [_theirs(" or issuer.audience not in audiences", "")],
    "iat": [_theirs("max(claims.iat, claims.nbf)", "claims.nbf")],
    "nbf": [_theirs("max(claims.iat, claims.nbf)", "claims.iat")],
    "exp": [_theirs("unproven.registered.exp <= self._clock() - self._leeway", "False")],
    "the longest life": [_theirs(" <= issuer.max_ttl_seconds + self._leeway", "")],
    "an end behind the beginning": [
        _theirs("not 0 < claims.exp", "not -1e18 < claims.exp"),
        _theirs("unproven.registered.exp <= self._clock() - self._leeway", "False"),
    ],
    "access tokens only": [
        _theirs("not is_access_token(issuer, unproven.header.type, unproven.claims)", "False")
    ],
    "exactly one key": [_theirs("if len(found) == 1:", "if found:")],
    "kid selects": [
        Patch(SETS, "(kid is None or (kid and key.kid == kid))", "True"),
        _theirs("if len(found) == 1:", "if found:"),
    ],
    "one spelling": [
        Patch(EXTERNAL_FORMAT, "not COMPACT.fullmatch(token)", "False"),
        Patch(EXTERNAL_FORMAT, 'head, body, _ = token.split(".")', 'head, body = token.split(".")[:2]'),
    ],
    "headers that bring a key": [
        Patch(EXTERNAL_FORMAT, "if not REFUSED_HEADERS.isdisjoint(members):", "if False:")
    ],
    "repeated members": [Patch(EXTERNAL_FORMAT, "object_pairs_hook=unique_members, ", "")],
    "printable subjects": [Patch(EXTERNAL_FORMAT, "not registered.sub.isprintable() or ", "")],
    "trimmed subjects": [Patch(EXTERNAL_FORMAT, " or registered.sub != registered.sub.strip()", "")],
    "signs of identity tokens": [Patch(EVIDENCE, "not ID_TOKEN_MARKS.isdisjoint(claims) or ", "")],
    "signs of other kinds": [Patch(EVIDENCE, " or _says(claims, OTHER_KINDS):", ":")],
    "security events": [Patch(EVIDENCE, "if EVENTS in claims:", "if False:")],
    "signs of access tokens": [
        Patch(EVIDENCE, "any(claims.get(mark) for mark in ACCESS_TOKEN_MARKS)", "True")
    ],
    "what the policy requires": [Patch(EVIDENCE, "if not claims_fit(issuer.require, claims):", "if False:")],
    "a bound account": [Patch(EVIDENCE, "return _is_service_account(claims)", "return True")],
    "the account's own name": [
        Patch(EVIDENCE, 'claims.get("sub") == f"system:', 'True or claims.get("sub") == f"system:')
    ],
    "keys for signatures": [Patch(SETS, 'members.get("use", "sig") == "sig"', "True")],
    "operations of keys": [Patch(SETS, 'and "verify" in operations', "")],
    "keys that are public": [Patch(SETS, 'and "d" not in members', "and True")],
    "a key's own algorithm": [
        Patch(SETS, 'algorithms &= {members["alg"]} if isinstance(members["alg"], str) else set()', "pass")
    ],
    "short keys": [
        Patch(SETS, "MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192", "MIN_RSA_BITS, MAX_RSA_BITS = 512, 8192")
    ],
    "whose subject it is": [_theirs('subject=f"{self.name}:{claims.sub}"', "subject=claims.sub")],
    "granted scopes only": [
        _theirs("scopes=self._policy.scopes_for(", "scopes=_greedy(unproven) or self._policy.scopes_for("),
        _theirs("def _token_id(", GREEDY),
    ],
}

POLICY: dict[str, list[Patch]] = {
    "whose grant": [Patch(RULES, "grant.issuer == issuer_name and ", "")],
    "which subject": [Patch(RULES, "return subject_fits(self.subject, subject) and ", "return ")],
    "the whole subject": [
        Patch(RULES, 'return pattern in ("", subject)', "return subject.startswith(pattern)")
    ],
    "the end of a pattern": [
        Patch(RULES, "subject.startswith(pattern[:-1])", "subject.startswith(pattern[:-2])")
    ],
}

DOOR: dict[str, list[Patch]] = {
    "one Authorization header": [Patch(GATE, "if authorization is not None:", "if False:")],
    "only that header": [
        Patch(
            GATE, 'if name == b"authorization":', 'if name.endswith((b"authorization", b"token", b"cookie")):'
        )
    ],
    "the scheme": [Patch(AUTHENTICATOR, "if scheme.lower() != SCHEME:", "if False:")],
}

MUTANTS: dict[str, list[Patch]] = {
    **{f"own: {name}": patches for name, patches in OWN.items()},
    **{f"others: {name}": patches for name, patches in OTHERS.items()},
    **{f"policy: {name}": patches for name, patches in POLICY.items()},
    **{f"door: {name}": patches for name, patches in DOOR.items()},
}
