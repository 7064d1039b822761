"""The one door: every path needs a token, except those listed by name."""

from __future__ import annotations

from collections.abc import Iterable

from auth.authenticator import Authenticator
from auth.challenges import invalid_token
from auth.principal import Principal


class Gate:
    """Deny by default. `open_paths` are whole paths; there are no prefixes and no patterns to get around."""

    def __init__(self, authenticator: Authenticator, *, open_paths: frozenset[str]) -> None:
        self._authenticate = authenticator.authenticate
        self.remembered = authenticator.remembered
        self._open_paths = open_paths

    def admit(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Principal | None:
        """None for an open path, otherwise who is calling. `path` and `headers` are those of the ASGI scope.

        Two Authorization headers are refused: a proxy in front may have believed the other one.
        """
        if path in self._open_paths:
            return None
        authorization: bytes | None = None
        for name, value in headers:
            if name == b"authorization":
                if authorization is not None:
                    raise invalid_token()
                authorization = value
        return self._authenticate(authorization)
