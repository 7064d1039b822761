"""Who may come in, counted by issuer and result; and the trail of who was refused, written on that path only."""

from __future__ import annotations

from auth.audit import Audit
from auth.gate import Gate
from auth.principal import Principal
from modelkit.errors import SlipwayError, Unauthenticated
from serving.http.exchange import Exchange, Scope
from serving.http.origins import Origins
from serving.metrics import Metrics

REFUSED = frozenset({401, 403, 429})


class Admission:
    """The gate, and what is remembered of it. A caller who is let in leaves no line, only a figure."""

    def __init__(self, gate: Gate, metrics: Metrics, *, audit: Audit, origins: Origins) -> None:
        self._gate, self._metrics = gate, metrics
        self._audit, self._origins = audit, origins

    def admit(self, scope: Scope) -> Principal | None:
        """None on an open path. Raises Unauthenticated."""
        try:
            principal = self._gate.admit(scope["path"], scope["headers"])
        except Unauthenticated as error:
            self._metrics.authenticated(error.issuer or "unknown", error.code)
            raise
        if principal is not None:
            self._metrics.authenticated(principal.issuer, "ok")
        return principal

    def refused(self, error: SlipwayError, exchange: Exchange, route: str) -> None:
        """One event for an answer of 401, 403 or 429. `route` is a template: a path may hold what it must not tell."""
        if error.status not in REFUSED:
            return
        caller, origin = exchange.principal, self._origins(exchange)
        known = error.issuer if isinstance(error, Unauthenticated) else ""
        self._audit(
            "request.refused",
            request_id=origin.request_id,
            address=origin.address,
            route=route,
            method=exchange.scope["method"][:16],
            status=error.status,
            code=error.code,
            issuer=known if caller is None else caller.issuer,
            subject="" if caller is None else caller.subject,
        )
