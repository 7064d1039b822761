"""A request for predictions, between its protocol and the predictor: may the caller, how many rows, which version.

Protocols read a request into rows and write answers out of them; what happens in between is the same for all, and here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from auth.principal import Principal
from auth.scopes import require_predict
from serving.entities import Entities
from serving.limits.bucket import Bucket
from serving.limits.headers import Fields
from serving.limits.limiter import RateLimits
from serving.loaded_model import LoadedModel
from serving.predictor import Answer, Asking, Predictor
from serving.requested_rows import RequestRows, known_rows
from serving.routing import Routing

Read = Callable[[LoadedModel], RequestRows]


class Call(Protocol):
    """What a protocol knows of its request. `limit_fields` is where it is told what the caller's limit has left."""

    @property
    def asking(self) -> Asking: ...

    limit_fields: Fields


class Ready(NamedTuple):
    """Whole rows that nothing is wrong with, and the version that shall answer them."""

    model: LoadedModel
    request: RequestRows


class Answered(NamedTuple):
    """One answer per row of `request.rows`, in order."""

    model: LoadedModel
    request: RequestRows
    answers: list[Answer]


class Inference:
    """What every prediction protocol asks, in two steps: `admit` before it reads the body, `answer` after."""

    def __init__(self, routing: Routing, predictor: Predictor, rates: RateLimits, entities: Entities) -> None:
        self.routing = routing
        self._predictor, self._rates, self._entities = predictor, rates, entities

    def admit(self, caller: Principal, name: str) -> Bucket | None:
        """The bucket that pays for the rows; None where there is no limit. Raises InsufficientScope or RateLimited."""
        require_predict(caller, name)
        return self._rates.admit(caller.subject, name) if self._rates.on else None

    async def answer(
        self, call: Call, name: str, bucket: Bucket | None, read: Read, *, version: str | None = None
    ) -> Answered:
        """Raises what `ready` and the predictor raise."""
        asking = call.asking
        model = self.routing.model_for(name, asking, version)
        request = self._charged(call, bucket, read(model))
        if asking.stages is not None:
            asking.stages.ended("read")
        if model.definition.view is not None:
            request = await self._whole_rows(model, request)
            if asking.stages is not None:
                asking.stages.ended("features")
        return Answered(model, request, await self._predictor.predict(model, request.rows, asking))

    async def ready(self, call: Call, name: str, bucket: Bucket | None, read: Read) -> Ready:
        """Rows for an answer later. Raises ModelNotReady, what `read` raises, or EntityNotFound."""
        model = self.routing.model_for(name, call.asking)
        request = self._charged(call, bucket, read(model))
        return Ready(model, await self._whole_rows(model, request))

    async def answer_ready(self, ready: Ready, asking: Asking) -> Answered:
        return Answered(*ready, await self._predictor.predict(ready.model, ready.request.rows, asking))

    def _charged(self, call: Call, bucket: Bucket | None, request: RequestRows) -> RequestRows:
        if bucket is not None:
            call.limit_fields = self._rates.charged(bucket, request.size)
        return request

    async def _whole_rows(self, model: LoadedModel, request: RequestRows) -> RequestRows:
        """The request with the features of its entities."""
        view = model.definition.view
        if view is None:
            return request
        return known_rows(request, await self._entities.complete(model, request.rows), view.key)
