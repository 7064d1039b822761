"""The 401 answers, each with the challenge that RFC 6750 asks for. They never say which check failed."""

from __future__ import annotations

from modelkit.errors import TokenExpired, TokenRevoked, Unauthenticated, WrongCredentials

REALM = 'Bearer realm="slipway"'


def missing_token() -> Unauthenticated:
    return Unauthenticated("send a bearer token", headers=(("WWW-Authenticate", REALM),))


def invalid_token() -> Unauthenticated:
    challenge = f'{REALM}, error="invalid_token"'
    return Unauthenticated("the token is not valid", headers=(("WWW-Authenticate", challenge),))


def unknown_key() -> Unauthenticated:
    """The same answer; whoever can fetch the issuer's keys is told that it may be worth it."""
    error = invalid_token()
    error.key_missing = True
    return error


def expired_token() -> TokenExpired:
    challenge = f'{REALM}, error="invalid_token", error_description="the token has expired"'
    return TokenExpired("the token has expired", headers=(("WWW-Authenticate", challenge),))


def revoked_token() -> TokenRevoked:
    challenge = f'{REALM}, error="invalid_token", error_description="the token has been revoked"'
    return TokenRevoked("the token has been revoked", headers=(("WWW-Authenticate", challenge),))


def wrong_credentials() -> WrongCredentials:
    """One answer for an unknown user, a wrong password and a disabled user."""
    return WrongCredentials("user name or password is wrong", headers=(("WWW-Authenticate", REALM),))
