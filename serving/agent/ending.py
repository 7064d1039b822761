"""The agent's last seconds: what is in the spool goes into SQL, or else to where another agent finds it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog

from serving.agent.metrics import AgentMetrics
from serving.agent.records_parts import make_handover
from serving.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Seconds for SQL, and for handing over what it did not take by then."""

    ship: float
    hand_over: float = 0.0


# A worker waits ten seconds for its child; a sidecar has what is left of its pod's grace.
SHIPPING = Budget(ship=10.0)
AS_CHILD, AS_SIDECAR = Budget(ship=4.0, hand_over=5.0), Budget(ship=10.0, hand_over=20.0)


def end(shipping: threading.Thread, settings: Settings, metrics: AgentMetrics, *, child: bool) -> int:
    """Returns the exit code: 1 where records may be left behind."""
    log = structlog.get_logger("slipway.agent")
    if not settings.spool_handoff_url:
        shipping.join(SHIPPING.ship)
        if shipping.is_alive():
            log.error("agent ends while the prediction log hangs")
        return int(shipping.is_alive())
    budget = AS_CHILD if child else AS_SIDECAR
    shipping.join(budget.ship)
    try:
        return int(make_handover(settings, metrics).run(budget.hand_over) > 0)
    except Exception as error:  # whatever it was, the spool is still there
        log.error("hand-over failed", exc_info=error)
        return 1
