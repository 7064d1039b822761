"""Where a request really comes from, behind proxies that say so: logins are counted by address."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Networks = tuple[IPv4Network | IPv6Network, ...]
Address = IPv4Address | IPv6Address


def parse_networks(text: str) -> Networks:
    """Addresses and networks, comma-separated. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def client_address(peer: str, forwarded: Iterable[bytes], trusted: Networks) -> str:
    """The nearest address that is no trusted proxy, going back from `peer` through `X-Forwarded-For`.

    `forwarded` are the header's values in the order of their lines. What a caller wrote there himself stands to the left
    of what the first trusted proxy added, and is never reached. Where a proxy names no address, it is its own that
    counts: whoever hides behind it shares it. Empty where it is not known: without a peer, and where somebody who is not
    trusted says that he asks for another. He may be a proxy that nobody has named, whose address is everybody's.
    """
    address, lines = _parsed(peer), list(forwarded)
    if address is None:
        return ""
    if not _is_within(address, trusted):
        return "" if lines else str(address)
    for hop in reversed(b",".join(lines).split(b",")):
        named = _parsed(hop.decode("latin-1").strip())
        if named is None:
            break
        address = named
        if not _is_within(address, trusted):
            break
    return str(address)


def _is_within(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _parsed(text: str) -> Address | None:
    """One spelling for an address, with a port or without; IPv4 within IPv6 as IPv4."""
    try:
        found = ip_address(_without_port(text))
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or IPv6Address(found.packed)  # without a zone
    return found


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
