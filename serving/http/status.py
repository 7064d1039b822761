"""Probes and status: whether this worker lives, is ready, and what it serves. None of them asks Redis or a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from modelkit.errors import ModelNotFound
from serving.http.exchange import Exchange, Reply
from serving.model_board import Challenger, ModelBoard, Slot
from serving.readiness import Readiness


class StatusRoutes:
    """Handlers over the model board."""

    def __init__(self, board: ModelBoard, readiness: Readiness) -> None:
        self._board, self._readiness = board, readiness

    async def live(self, exchange: Exchange) -> Reply:
        """GET /livez and /healthz: this process answers, and no other worker is gone; models may still be loading."""
        live = self._readiness.live()
        return _json({"live": live}, status=200 if live else 503)

    async def ready(self, exchange: Exchange) -> Reply:
        """GET /readyz: 200 only when every model has answered a warm-up row, keys and revocations of tokens are known,
        and the replica is not draining.
        """
        reasons = self._readiness.reasons()
        body = {"ready": not reasons, "reasons": reasons}
        return _json(body, status=503 if reasons else 200)

    async def health(self, exchange: Exchange) -> Reply:
        """GET /health: overall state and each model's load state."""
        unready = self._board.unready()
        models = {
            name: {"loaded": slot.current is not None, "state": slot.state} for name, slot in self._slots()
        }
        return _json({"status": "unhealthy" if unready else "healthy", "models": models})

    async def status(self, exchange: Exchange) -> Reply:
        """GET /status: seed 004's shape."""
        return _json({"status": "OK", "timestamp": datetime.now(UTC).isoformat()})

    async def models(self, exchange: Exchange) -> Reply:
        """GET /models and /models/info: every model with the versions loaded and desired."""
        return _json({"models": [describe(slot) for _, slot in self._slots()]})

    async def model(self, exchange: Exchange, name: str) -> Reply:
        """GET /models/{model}: the same for one model, with its card."""
        slot = self._board.slots.get(name)
        if slot is None:
            raise ModelNotFound
        card = None if slot.current is None else slot.current.servable.card
        return _json({**describe(slot), "card": None if card is None else _card(card)})

    def _slots(self) -> list[tuple[str, Slot]]:
        return sorted(self._board.slots.items())


def describe(slot: Slot) -> dict[str, Any]:
    definition, current, previous = slot.definition, slot.current, slot.previous
    return {
        "name": definition.name,
        "registry_name": definition.registry_name,
        "task": definition.task,
        "units": definition.units,
        "owner": definition.owner,
        "state": slot.state,
        "reason": slot.reason,
        "stale": slot.stale,
        "loaded": None if current is None else current.version,
        "desired": slot.desired,
        "previous": None if previous is None else previous.version,
        "digest": None if current is None else current.servable.digest,
        "challenger": None if slot.challenger is None else _challenger(slot.challenger),
    }


def _challenger(challenger: Challenger) -> dict[str, Any]:
    """`weight` is the share of callers that it answers, 0 to 1."""
    return {
        "version": challenger.desired,
        "state": challenger.state,
        "reason": challenger.reason,
        "weight": challenger.split.weight,
    }


def _card(card: Any) -> dict[str, Any]:
    return {
        "metrics": card.metrics,
        "git_sha": card.git_sha,
        "data_hash": card.data_hash,
        "trained_at": card.trained_at,
        "rows": card.rows,
    }


def _json(body: dict[str, Any], *, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(body))
