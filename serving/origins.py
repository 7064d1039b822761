"""Who asked, and from where, as far as a request shows it: what an audit event and a login are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import structlog

from auth.audit import Origin
from auth.client_address import Networks, client_address
from auth.principal import Principal


class Asked(Protocol):
    """A request of whatever protocol. `peer` is the address that it came from, `pairs` are its header fields."""

    request_id: str
    principal: Principal | None

    @property
    def peer(self) -> str: ...

    @property
    def pairs(self) -> Iterable[tuple[bytes, bytes]]: ...

    @property
    def method(self) -> str: ...


class Origins:
    """`trusted` are the proxies whose `X-Forwarded-For` is believed. The first that is not is told of, once."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted, self._told = trusted, False

    def __call__(self, asked: Asked) -> Origin:
        forwarded = [value for name, value in asked.pairs if name == b"x-forwarded-for"]
        address = client_address(asked.peer, forwarded, self._trusted)
        if forwarded and not address and not self._told:
            self._told = True
            structlog.get_logger("slipway.service").warning(
                "X-Forwarded-For of a peer that is not in TRUSTED_PROXIES: addresses are not known, "
                "and strangers can slow down the logins of others",
                peer=asked.peer,
            )
        return Origin(request_id=asked.request_id, address=address)
