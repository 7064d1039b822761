"""The corpus of tokens that must be refused (RFC 8725, RFC 9068), each with the trick it plays as its name."""

from __future__ import annotations

import json

from tests.fakes.forged_tokens import (
    AUDIENCE,
    ISSUER,
    NOW,
    SECRET,
    forge,
    good_claims,
    good_header,
    kid_of,
    sealed,
    segment,
)

OTHER_SECRET = "another-0123456789-secret-that-is-long-enough"
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
GOOD = forge()
HEAD, BODY, SIGNATURE = GOOD.split(".")
CLAIMS = json.dumps(good_claims()).encode()
HEADER = json.dumps(good_header()).encode()
JWK = {"kty": "oct", "k": segment(OTHER_SECRET.encode()), "kid": kid_of(), "alg": "HS256"}
HUGE = "1" + "0" * 400


def unsigned(algorithm: str, signature: str = "") -> str:
    header = json.dumps({**good_header(), "alg": algorithm}).encode()
    return f"{segment(header)}.{segment(CLAIMS)}.{signature}"


def replaced(document: bytes, old: str, new: str) -> bytes:
    assert old in document.decode()
    return document.decode().replace(old, new).encode()


ALGORITHMS = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg nOnE": unsigned("nOnE"),
    "alg NONE with a signature": unsigned("NONE", SIGNATURE),
    "alg empty": unsigned("", SIGNATURE),
    "alg missing": forge(without="alg"),
    "alg null": forge(header={"alg": None}),
    "alg a list": forge(header={"alg": ["HS256"]}),
    "alg in lower case": forge(header={"alg": "hs256"}),
    "alg HS384 with our key": forge(header={"alg": "HS384"}, digest="HS384"),
    "alg HS512 with our key": forge(header={"alg": "HS512"}, digest="HS512"),
    "alg HS384 over an HS256 signature": forge(header={"alg": "HS384"}),
    "alg RS256": forge(header={"alg": "RS256"}),
    "alg ES256": forge(header={"alg": "ES256"}),
    "alg EdDSA": forge(header={"alg": "EdDSA"}),
    "alg unknown": forge(header={"alg": "XX999"}),
    "a public key as secret": forge(secret=PUBLIC_KEY),
}

SIGNATURES = {
    "no signature": f"{HEAD}.{BODY}.",
    "no third part": f"{HEAD}.{BODY}",
    "signature of another key": forge(secret=OTHER_SECRET),
    "signature of an empty key": forge(secret=""),
    "signature of the key's name": forge(secret=kid_of()),
    "signature cut short": GOOD[:-4],
    "signature too long": GOOD + "AAAA",
    "signature with another last letter": GOOD[:-2] + ("A" if GOOD[-2] != "A" else "Q") + GOOD[-1],
    "signature of zeros": f"{HEAD}.{BODY}.{segment(bytes(32))}",
    "signature of another token": f"{HEAD}.{BODY}.{forge(claims={'sub': 'eve'}).split('.')[2]}",
    "claims of another token": f"{HEAD}.{forge(claims={'sub': 'eve'}).split('.')[1]}.{SIGNATURE}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "five parts, as if encrypted": f"{GOOD}.{BODY}.{SIGNATURE}",
    "parts joined by line breaks": GOOD.replace(".", ".\n"),
    "signature with padding": f"{GOOD}==",
    "signature with line break": f"{GOOD}\n",
    "signature with junk letters": f"{GOOD}!!!!",
    "leading blank": f" {GOOD}",
    "leading tab": f"\t{GOOD}",
    "standard base64 letters": f"{HEAD}.{BODY}.{segment(bytes([251, 255]) * 16).replace('-', '+').replace('_', '/')}",
}

TIMES = {
    "expired": forge(claims={"exp": NOW - 60}),
    "expired an hour ago": forge(claims={"exp": NOW - 3600}),
    "expiry zero": forge(claims={"exp": 0}),
    "expiry negative": forge(claims={"exp": -1}),
    "not yet valid": forge(claims={"nbf": NOW + 60}),
    "issued in the future": forge(claims={"iat": NOW + 60}),
}

WRONG_TYPES = {
    f"{claim} is {json.dumps(value)[:40]}": forge(claims={claim: value})
    for claim, values in {
        "exp": (None, True, "1800000900", [NOW + 900], {"at": NOW + 900}),
        "iat": (None, False, "1800000000", [NOW]),
        "nbf": (None, True, "0", []),
        "sub": (None, 7, "", ["ada"], {"name": "ada"}, "a" * 256, "ada\u0000", "ada\nroot"),
        "jti": (None, 7, "", ["x"], "x" * 256),
        "iss": (None, 7, "", [ISSUER], "SLIPWAY", f"{ISSUER}/", f"{ISSUER}.evil.example", "slipwa"),
        "aud": (None, 7, "", [], {"x": AUDIENCE}),
        "scope": (None, 7, ["predict"], 'predict "', "predict\tadmin", "predict\nadmin"),
        "uid": ("7", 7.5, True, [7], 0, -7, 2**63),
    }.items()
    for value in values
}

AUDIENCES = {
    "audience of another service": forge(claims={"aud": "billing"}),
    "audience is a prefix of ours": forge(claims={"aud": AUDIENCE[:-1]}),
    "audience starts with ours": forge(claims={"aud": f"{AUDIENCE}-admin"}),
    "audience in another case": forge(claims={"aud": AUDIENCE.upper()}),
    "audience with a blank": forge(claims={"aud": f"{AUDIENCE} "}),
    "audience is a list with ours in it": forge(claims={"aud": ["billing", AUDIENCE]}),
    "audiences in one string": forge(claims={"aud": f"billing {AUDIENCE}"}),
    "audience is a list in a list": forge(claims={"aud": [[AUDIENCE]]}),
}

MISSING = {
    f"no {name}": forge(without=name) for name in ("iss", "aud", "sub", "jti", "exp", "iat", "typ", "kid")
}

TOKEN_TYPES = {
    "a refresh token": forge(header={"typ": "rt+jwt"}),
    "an identity token": forge(header={"typ": "JWT"}),
    "a logout token": forge(header={"typ": "logout+jwt"}),
    "typ empty": forge(header={"typ": ""}),
    "typ null": forge(header={"typ": None}),
    "typ a list": forge(header={"typ": ["at+jwt"]}),
    "typ starts like ours": forge(header={"typ": "at+jwt-not"}),
}

KEY_TRICKS = {
    "kid unknown": forge(header={"kid": "0123456789abcdef"}),
    "kid empty": forge(header={"kid": ""}),
    "kid null": forge(header={"kid": None}),
    "kid a number": forge(header={"kid": 7}),
    "kid a list": forge(header={"kid": [kid_of()]}),
    "kid a path": forge(header={"kid": "../../../../dev/null"}, secret=""),
    "kid an absolute path": forge(header={"kid": "/proc/self/environ"}),
    "kid SQL": forge(header={"kid": "x' UNION SELECT 'secret' --"}, secret="secret"),
    "kid a URL": forge(header={"kid": "https://evil.example/key"}),
    "kid in upper case": forge(header={"kid": kid_of().upper()}),
    "kid with a NUL": forge(header={"kid": f"{kid_of()}\u0000"}),
    "jwk with its own key": forge(header={"jwk": JWK}, secret=OTHER_SECRET),
    "jwk beside our signature": forge(header={"jwk": JWK}),
    "jku": forge(header={"jku": "https://evil.example/jwks.json"}, secret=OTHER_SECRET),
    "jku beside our signature": forge(header={"jku": "https://evil.example/jwks.json"}),
    "x5u": forge(header={"x5u": "https://evil.example/cert.pem"}, secret=OTHER_SECRET),
    "x5u beside our signature": forge(header={"x5u": "https://evil.example/cert.pem"}),
    "x5c": forge(header={"x5c": ["MIIB"]}),
    "crit unknown": forge(header={"crit": ["exp-soon"], "exp-soon": True}),
    "crit empty": forge(header={"crit": []}),
    "b64 false": forge(header={"b64": False, "crit": ["b64"]}),
    "zip": forge(header={"zip": "DEF"}),
    "cty JWT": forge(header={"cty": "JWT"}),
}

DOCUMENTS = {
    "claim twice, bad one first": sealed(
        HEADER, replaced(CLAIMS, '"sub": "ada"', '"sub": "eve", "sub": "ada"')
    ),
    "claim twice, bad one last": sealed(
        HEADER, replaced(CLAIMS, '"sub": "ada"', '"sub": "ada", "sub": "eve"')
    ),
    "expiry twice": sealed(HEADER, replaced(CLAIMS, '"exp": ', f'"exp": {NOW - 99}, "exp": ')),
    "claim twice, once escaped": sealed(
        HEADER, replaced(CLAIMS, '"sub": "ada"', '"sub": "ada", "s\\u0075b": "eve"')
    ),
    "kid twice": sealed(replaced(HEADER, '"kid"', '"kid": "other", "kid"'), CLAIMS),
    "alg twice": sealed(replaced(HEADER, '"alg"', '"alg": "none", "alg"'), CLAIMS),
    "expiry NaN": sealed(HEADER, replaced(CLAIMS, f'"exp": {NOW + 900}', '"exp": NaN')),
    "expiry infinite": sealed(HEADER, replaced(CLAIMS, f'"exp": {NOW + 900}', '"exp": Infinity')),
    "expiry beyond all numbers": sealed(HEADER, replaced(CLAIMS, f'"exp": {NOW + 900}', '"exp": 1e999')),
    "expiry of 400 digits": sealed(HEADER, replaced(CLAIMS, f'"exp": {NOW + 900}', f'"exp": {HUGE}')),
    "claims are a list": sealed(HEADER, b"[]"),
    "claims are a string": sealed(HEADER, b'"ada"'),
    "claims are null": sealed(HEADER, b"null"),
    "claims are empty": sealed(HEADER, b""),
    "claims are not JSON": sealed(HEADER, b"{sub: ada}"),
    "claims are not UTF-8": sealed(HEADER, replaced(CLAIMS, "ada", "a@a").replace(b"@", b"\xff")),
    "claims in UTF-16": sealed(HEADER, CLAIMS.decode().encode("utf-16")),
    "claims with a byte order mark": sealed(HEADER, b"\xef\xbb\xbf" + CLAIMS),
    "claims followed by more": sealed(HEADER, CLAIMS + b"{}"),
    "claims nested deeply": sealed(HEADER, b'{"a":' * 800 + b"1" + b"}" * 800),
    "header is a list": sealed(b"[]", CLAIMS),
    "header is null": sealed(b"null", CLAIMS),
    "header is empty": sealed(b"", CLAIMS),
    "header is not JSON": sealed(b"alg=HS256", CLAIMS),
    "header is not UTF-8": sealed(b'{"alg":"\xff"}', CLAIMS),
    "header nested deeply": sealed(b"[" * 2000 + b"]" * 2000, CLAIMS),
}

SHAPES = {
    "empty": "",
    "a word": "token",
    "dots": "..",
    "many dots": "." * 5000,
    "JSON instead of a token": CLAIMS.decode(),
    "our secret itself": SECRET,
    "over the limit": forge(claims={"padding": "x" * 9000}),
    "far over the limit": "A" * 1_000_000,
    "letters beyond ASCII": f"{HEAD}.{BODY}.\u00e9{SIGNATURE[1:]}",
    "letters that look like ours": GOOD.replace(GOOD[3], "\u0430", 1),
    "a NUL": f"{GOOD}\x00",
    "base64 of the token": segment(GOOD.encode()),
    "quoted": f'"{GOOD}"',
    "two tokens": f"{GOOD},{GOOD}",
    "scheme twice": f"Bearer {GOOD}",
}

BAD_TOKENS: dict[str, str] = {
    **ALGORITHMS,
    **SIGNATURES,
    **TIMES,
    **WRONG_TYPES,
    **AUDIENCES,
    **MISSING,
    **TOKEN_TYPES,
    **KEY_TRICKS,
    **DOCUMENTS,
    **SHAPES,
}
