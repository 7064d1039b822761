"""Where a request comes from: what a caller writes about himself is never believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.client_address import client_address, parse_networks

PROXIES = parse_networks("10.0.0.0/8, 2001:db8:ffff::/48")
PROXY, CLIENT = "10.1.2.3", "203.0.113.9"

CASES = {
    "no header": (PROXY, [], PROXY),
    "the proxy says it": (PROXY, [b"203.0.113.9"], CLIENT),
    "the left is the caller's own": (PROXY, [b"198.51.100.1, 203.0.113.9"], CLIENT),
    "a trusted address on the left": (PROXY, [b"10.9.9.9, 203.0.113.9"], CLIENT),
    "a loopback address on the left": (PROXY, [b"127.0.0.1, 203.0.113.9"], CLIENT),
    "two proxies": (PROXY, [b"203.0.113.9, 10.4.5.6"], CLIENT),
    "two proxies and a lie": (PROXY, [b"198.51.100.1, 203.0.113.9, 10.4.5.6"], CLIENT),
    "several lines": (PROXY, [b"198.51.100.1", b"203.0.113.9"], CLIENT),
    "several lines and proxies": (PROXY, [b"198.51.100.1, 203.0.113.9", b"10.4.5.6"], CLIENT),
    "nobody is behind the proxies": (PROXY, [b"10.4.5.6"], "10.4.5.6"),
    "a port": (PROXY, [b"203.0.113.9:51820"], CLIENT),
    "an IPv6 address": (PROXY, [b"2001:db8::1"], "2001:db8::1"),
    "an IPv6 address with a port": (PROXY, [b"[2001:db8::1]:443"], "2001:db8::1"),
    "an IPv6 address in brackets": (PROXY, [b"[2001:db8::1]"], "2001:db8::1"),
    "an IPv6 address in full": (PROXY, [b"2001:0DB8:0:0:0:0:0:1"], "2001:db8::1"),
    "an IPv6 address with a zone": (PROXY, [b"fe80::1%eth0"], "fe80::1"),
    "IPv4 within IPv6": (PROXY, [b"::ffff:203.0.113.9"], CLIENT),
    "a proxy that is IPv4 within IPv6": ("::ffff:10.1.2.3", [b"203.0.113.9"], CLIENT),
    "an IPv6 proxy": ("2001:db8:ffff::7", [b"203.0.113.9"], CLIENT),
    "spaces": (PROXY, [b"  198.51.100.1 ,\t203.0.113.9  "], CLIENT),
    "garbage": (PROXY, [b"unknown"], PROXY),
    "garbage before the proxy": (PROXY, [b"203.0.113.9, unknown"], PROXY),
    "garbage that is further left": (PROXY, [b"<script>, 203.0.113.9"], CLIENT),
    "an empty header": (PROXY, [b""], PROXY),
    "an empty end": (PROXY, [b"203.0.113.9,"], PROXY),
    "bytes that are no text": (PROXY, [b"\xff\xfe, 203.0.113.9"], CLIENT),
    "a number that is no address": (PROXY, [b"3405803785"], PROXY),
    "octal": (PROXY, [b"0313.0.113.9"], PROXY),
    "a stranger": (CLIENT, [], CLIENT),
    "a stranger's word": (CLIENT, [b"198.51.100.1"], ""),
    "a stranger who names a proxy": (CLIENT, [b"10.1.2.3"], ""),
    "no peer": ("", [b"203.0.113.9"], ""),
    "a socket's path": ("/run/slipway.sock", [b"203.0.113.9"], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_address_is_the_nearest_that_is_no_proxy_of_ours(case: str) -> None:
    peer, forwarded, expected = CASES[case]
    assert client_address(peer, forwarded, PROXIES) == expected


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4))
def test_without_trusted_proxies_who_speaks_for_others_has_no_address(forwarded: list[bytes]) -> None:
    """Neither his own, which may be everybody's, nor the one that he names."""
    for peer in (CLIENT, "127.0.0.1"):
        assert client_address(peer, forwarded, ()) == ""
        assert client_address(peer, [], ()) == peer


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_nothing_that_a_caller_writes_moves_what_the_proxy_adds(written: list[bytes]) -> None:
    assert client_address(PROXY, [*written, b"203.0.113.9"], PROXIES) == CLIENT
    appended = b", ".join([*written, b"203.0.113.9"])
    assert client_address(PROXY, [appended], PROXIES) == CLIENT


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example.com", "10.0.0.0/33", "*"])
def test_proxies_are_addresses_or_networks(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|host bits"):
        parse_networks(text)


def test_no_proxies_are_trusted_by_an_empty_setting() -> None:
    assert parse_networks("") == parse_networks(" , ") == ()
