"""Who asked, and from where, as far as a request shows it: what an audit event and a login are told."""

from __future__ import annotations

import structlog

from auth.audit import Origin
from auth.client_address import Networks, client_address
from serving.http.exchange import Exchange


class Origins:
    """`trusted` are the proxies whose `X-Forwarded-For` is believed. The first that is not is told of, once."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted, self._told = trusted, False

    def __call__(self, exchange: Exchange) -> Origin:
        peer = exchange.scope.get("client") or ("", 0)
        forwarded = [value for name, value in exchange.scope["headers"] if name == b"x-forwarded-for"]
        address = client_address(str(peer[0]), forwarded, self._trusted)
        if forwarded and not address and not self._told:
            self._told = True
            structlog.get_logger("slipway.service").warning(
                "X-Forwarded-For of a peer that is not in TRUSTED_PROXIES: addresses are not known, "
                "and strangers can slow down the logins of others",
                peer=str(peer[0]),
            )
        return Origin(request_id=exchange.request_id, address=address)
