"""Who asked, and from where, as far as a request shows it: what an audit event and a login are told."""

from __future__ import annotations

from auth.audit import Origin
from auth.client_address import Networks, client_address
from serving.http.exchange import Exchange


class Origins:
    """`trusted` are the proxies whose `X-Forwarded-For` is believed."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted

    def __call__(self, exchange: Exchange) -> Origin:
        peer = exchange.scope.get("client") or ("", 0)
        forwarded = [value for name, value in exchange.scope["headers"] if name == b"x-forwarded-for"]
        address = client_address(str(peer[0]), forwarded, self._trusted)
        return Origin(request_id=exchange.request_id, address=address)
