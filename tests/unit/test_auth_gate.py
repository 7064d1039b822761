"""Deny by default: only whole, listed paths are open, and one token is one header."""

from __future__ import annotations

import pytest

from auth.authenticator import Authenticator
from auth.gate import Gate
from auth.principal import Principal
from modelkit.errors import Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.identity import FixedIssuer

ADA = Principal(
    subject="ada", issuer="fixed", scopes=frozenset(), expires_at=2e9, user_id=1, token_id="id-of-ada"
)


@pytest.fixture
def gate() -> Gate:
    issuer = FixedIssuer()
    issuer.known["ada"] = ADA
    return Gate(Authenticator([issuer], clock=FakeClock()), open_paths=frozenset({"/livez", "/login"}))


@pytest.mark.parametrize("path", ["/livez", "/login"])
def test_a_listed_path_is_open(gate: Gate, path: str) -> None:
    assert gate.admit(path, []) is None


def test_a_bad_token_does_not_close_an_open_path(gate: Gate) -> None:
    assert gate.admit("/livez", [(b"authorization", b"Bearer nobody")]) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//livez",
        "/livez/",
        "/livez/x",
        "/LIVEZ",
        "/livez;x",
        "/livez%2f",
        "/livez?x",
        "/livez#x",
        "/livez ",
        "/livez\x00",
        "livez",
        "/./livez",
        "/predict/../livez",
        "/login/../predict/iris",
        "http://host/livez",
        "/predict/iris",
        "/no-such-route",
    ],
)
def test_every_other_path_needs_a_token(gate: Gate, path: str) -> None:
    with pytest.raises(Unauthenticated):
        gate.admit(
            path, [(b"x-original-url", b"/livez"), (b"x-rewrite-url", b"/livez"), (b"host", b"/livez")]
        )
    assert gate.admit(path, [(b"host", b"x"), (b"authorization", b"Bearer ada")]) is ADA


@pytest.mark.parametrize(
    "values",
    [
        (b"Bearer ada", b"Bearer ada"),
        (b"Bearer ada", b"Bearer nobody"),
        (b"Bearer nobody", b"Bearer ada"),
        (b"Bearer ada", b""),
        (b"", b"Bearer ada"),
        (b"Bearer ada", b"Basic x"),
    ],
)
def test_two_authorization_headers_are_refused(gate: Gate, values: tuple[bytes, bytes]) -> None:
    with pytest.raises(Unauthenticated):
        gate.admit("/predict/iris", [(b"authorization", value) for value in values])


@pytest.mark.parametrize("name", [b"x-authorization", b"authorization2", b"proxy-authorization", b"cookie"])
def test_no_other_header_carries_a_token(gate: Gate, name: bytes) -> None:
    with pytest.raises(Unauthenticated):
        gate.admit("/predict/iris", [(name, b"Bearer ada")])
