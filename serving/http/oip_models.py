"""What the Open Inference Protocol tells of a server and its models: metadata, health, the repository's index."""

from __future__ import annotations

from typing import Any

import msgspec

from modelkit.errors import InvalidRequest, ModelNotReady
from serving.http.exchange import Exchange, Reply
from serving.http.oip import version_in
from serving.loaded_model import LoadedModel
from serving.model_board import ModelBoard, Slot, State
from serving.oip.metadata import input_metadata, output_metadata
from serving.readiness import Readiness
from serving.routing import Routing
from serving.version import VERSION

EXTENSIONS = ("binary_tensor_data", "model_repository")
PLATFORM = "onnxruntime_onnx"
_encode = msgspec.json.Encoder().encode


class OipModelRoutes:
    """Handlers over the model board."""

    def __init__(self, board: ModelBoard, routing: Routing, readiness: Readiness) -> None:
        self._board, self._routing, self._readiness = board, routing, readiness

    async def server(self, exchange: Exchange) -> Reply:
        """GET /v2: which server this is."""
        return _json({"name": "slipway", "version": VERSION, "extensions": EXTENSIONS})

    async def live(self, exchange: Exchange) -> Reply:
        """GET /v2/health/live: what /livez says."""
        live = self._readiness.live()
        return _json({"live": live}, status=200 if live else 503)

    async def ready(self, exchange: Exchange) -> Reply:
        """GET /v2/health/ready: what /readyz says."""
        ready = not self._readiness.reasons()
        return _json({"live": True, "ready": ready}, status=200 if ready else 503)

    async def model(self, exchange: Exchange, name: str) -> Reply:
        """GET /v2/models/{model}: its tensors, and the versions that are loaded."""
        slot = self._board.slots[name]
        return _json(_metadata(slot, [each.version for each in _loaded(slot)], slot.current))

    async def version(self, exchange: Exchange, name: str) -> Reply:
        """GET /v2/models/{model}/versions/{version}: the same for one version that is loaded."""
        model = self._version(exchange, name)
        return _json(_metadata(self._board.slots[name], [model.version], model))

    async def model_ready(self, exchange: Exchange, name: str) -> Reply:
        """GET /v2/models/{model}/ready and /v1/models/{model}. Raises ModelNotReady."""
        reason = self._board.unready().get(name)
        if reason is not None:
            raise ModelNotReady(f"{name}: {reason}")
        return _json({"name": name, "ready": True})

    async def version_ready(self, exchange: Exchange, name: str) -> Reply:
        """GET /v2/models/{model}/versions/{version}/ready. Raises VersionNotLoaded or ModelNotReady."""
        self._version(exchange, name)
        return await self.model_ready(exchange, name)

    async def index(self, exchange: Exchange) -> Reply:
        """POST /v2/repository/index: every version that this replica holds, and every model without one."""
        wish = await exchange.body()
        only_ready = _wants_ready(wish)
        listed = [entry for _, slot in sorted(self._board.slots.items()) for entry in _index(slot)]
        return _json([entry for entry in listed if not only_ready or entry["state"] == "READY"])

    async def names(self, exchange: Exchange) -> Reply:
        """GET /v1/models."""
        return _json({"models": sorted(self._board.slots)})

    async def refuse(self, exchange: Exchange) -> Reply:
        """POST /v2/repository/models/{model}/load and /unload: nobody decides here what is served."""
        await exchange.body()
        raise InvalidRequest("The alias in the model registry decides which version is served: move it there")

    def _version(self, exchange: Exchange, name: str) -> LoadedModel:
        return self._routing.model_for(name, exchange.asking, version_in(exchange.scope["path"]))


class _IndexWish(msgspec.Struct):
    ready: bool = False


def _wants_ready(body: bytes) -> bool:
    if not body.strip():
        return False
    try:
        return msgspec.json.decode(body, type=_IndexWish).ready
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise InvalidRequest('The body must be empty or {"ready": true|false}') from None


def _loaded(slot: Slot) -> list[LoadedModel]:
    return list({model.version: model for model in reversed(slot.held)}.values())[::-1]


def _metadata(slot: Slot, versions: list[str], model: LoadedModel | None) -> dict[str, Any]:
    definition = slot.definition
    return {
        "name": definition.name,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": input_metadata(definition),
        "outputs": output_metadata(definition, model),
    }


def _index(slot: Slot) -> list[dict[str, str]]:
    name, loaded = slot.definition.name, _loaded(slot)
    if not loaded:
        state = "LOADING" if slot.state is State.LOADING else "UNAVAILABLE"
        return [{"name": name, "version": slot.desired or "", "state": state, "reason": slot.reason}]
    return [{"name": name, "version": each.version, "state": "READY", "reason": ""} for each in loaded]


def _json(body: Any, *, status: int = 200) -> Reply:
    return Reply(status, _encode(body))
