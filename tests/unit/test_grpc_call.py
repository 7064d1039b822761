"""What a gRPC call tells of itself: where it comes from, and what a split between versions goes by."""

from __future__ import annotations

import pytest

from auth.principal import Principal
from modelkit.errors import InvalidRequest
from serving.grpc.call import GrpcCall
from serving.splitting import split_key_of

CALLER = Principal(
    subject="ada", issuer="own", scopes=frozenset({"predict"}), expires_at=2e9, user_id=1, token_id="t"
)


class Context:
    """As much of a server's context as a call asks."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer


def call(peer: str = "ipv4:127.0.0.1:50051", *, split_keys: bool = True, **metadata: str | bytes) -> GrpcCall:
    sent = [(name.replace("_", "-"), value) for name, value in metadata.items()]
    return GrpcCall(
        Context(peer),
        sent,
        dict(sent),
        request_id="order-7",
        traceparent=b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        arrived=1.0,
        deadline=6.0,
        split_keys=split_keys,
        principal=CALLER,
    )


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.7:50051", "192.0.2.7"),
        ("ipv6:%5B2001:db8::1%5D:50051", "2001:db8::1"),
        ("ipv6:[::1]:50051", "::1"),
        ("unix:/run/socket", ""),
        ("", ""),
    ],
)
def test_a_peer_is_an_address_without_its_port(peer: str, address: str) -> None:
    assert call(peer).peer == address


def test_a_split_goes_by_the_key_that_http_would_go_by() -> None:
    assert call(x_split_key="cart-9").asking.split_key == split_key_of(b"cart-9")
    assert call(x_split_key="cart-9", split_keys=False).asking.split_key == ""
    assert call().asking.split_key == ""


def test_two_split_keys_are_refused() -> None:
    twice = call(x_split_key="cart-9")
    twice.sent = [*twice.sent, ("x-split-key", "cart-10")]
    with pytest.raises(InvalidRequest, match="more than once"):
        _ = twice.asking
    twice.split_keys = False
    assert twice.asking.split_key == ""


def test_who_asks_and_in_which_trace() -> None:
    asking = call().asking
    assert (asking.principal, asking.request_id) == (CALLER, "order-7")
    assert asking.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert (asking.arrived, asking.deadline) == (1.0, 6.0)


def test_metadata_is_told_as_pairs_of_bytes() -> None:
    sent = call(x_forwarded_for="192.0.2.9", trace_bin=b"\x00")
    assert sent.pairs == [(b"x-forwarded-for", b"192.0.2.9"), (b"trace-bin", b"\x00")]
