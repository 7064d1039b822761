"""Who may come in, counted by issuer and result; and the trail of who was refused, written on that path only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from auth.audit import Audit
from auth.gate import Gate
from auth.principal import Principal
from modelkit.errors import SlipwayError, Unauthenticated
from serving.metrics import Metrics
from serving.origins import Asked, Origins

# Whether newer keys of an issuer came within a moment.
FreshKeys = Callable[[str], Awaitable[bool]]
Pairs = Iterable[tuple[bytes, bytes]]

REFUSED = frozenset({401, 403, 429})


class Admission:
    """The gate, and what is remembered of it. A caller who is let in leaves no line, only a figure."""

    def __init__(
        self, gate: Gate, metrics: Metrics, *, audit: Audit, origins: Origins, fresh_keys: FreshKeys
    ) -> None:
        self._gate, self._metrics = gate, metrics
        self.remembered = gate.remembered
        self._audit, self._origins, self._fresh_keys = audit, origins, fresh_keys

    def admit(self, path: str, headers: Pairs) -> Principal | None:
        """None on an open path. Raises Unauthenticated."""
        try:
            principal = self._gate.admit(path, headers)
        except Unauthenticated as error:
            if not error.key_missing:
                self._metrics.authenticated(error.issuer or "unknown", error.code)
            raise
        if principal is not None:
            self._metrics.authenticated(principal.issuer, "ok")
        return principal

    async def admit_later(self, path: str, headers: Pairs, error: Unauthenticated) -> Principal | None:
        """Whom `admit` refused because his issuer's key is unknown, if it becomes known soon. Raises Unauthenticated."""
        if not error.key_missing:
            raise error
        if await self._fresh_keys(error.issuer):
            try:
                return self.admit(path, headers)
            except Unauthenticated as again:
                error = again
        if error.key_missing:
            self._metrics.authenticated(error.issuer, "unknown-key")
        raise error

    def refused(self, error: SlipwayError, asked: Asked, route: str) -> None:
        """One event for an answer of 401, 403 or 429. `route` is a template: a path may hold what it must not tell."""
        if error.status not in REFUSED:
            return
        caller, origin = asked.principal, self._origins(asked)
        known = error.issuer if isinstance(error, Unauthenticated) else ""
        self._audit(
            "request.refused",
            request_id=origin.request_id,
            address=origin.address,
            route=route,
            method=asked.method[:16],
            status=error.status,
            code=error.code,
            issuer=known if caller is None else caller.issuer,
            subject="" if caller is None else caller.subject,
        )
