"""Where a request really comes from, behind proxies that say so: logins are counted by address."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Networks = tuple[IPv4Network | IPv6Network, ...]


def parse_networks(text: str) -> Networks:
    """Addresses and networks, comma-separated. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def client_address(peer: str, forwarded: Iterable[bytes], trusted: Networks) -> str:
    """The nearest address that is no trusted proxy, going back from `peer` through `X-Forwarded-For`.

    `forwarded` are the header's values in the order of their lines. What a caller wrote there himself stands to the left
    of what the first trusted proxy added, and is never reached.
    """
    address = peer
    hops = [hop.strip() for line in forwarded for hop in line.decode("latin-1").split(",")]
    while hops and _is_within(address, trusted):
        address = hops.pop()
    return _normal(address)


def _is_within(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _normal(address: str) -> str:
    """One spelling; IPv4 within IPv6 as IPv4. Empty for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(found)
