"""A request for predictions, between its protocol and the predictor: may the caller, how many rows, which version.

Protocols read a request into rows and write answers out of them; what happens in between is the same for all, and here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec

from auth.principal import Principal
from auth.scopes import require_predict
from modelkit.errors import PredictionFailed
from serving.asking import Answer, Asking
from serving.entities import Entities
from serving.limits.bucket import Bucket
from serving.limits.headers import Fields
from serving.limits.limiter import RateLimits
from serving.loaded_model import LoadedModel
from serving.predictor import Predictor
from serving.requested_rows import RequestRows, answered_rows, failed_row, known_rows
from serving.routing import Routing
from serving.turns import SLICE_ROWS, Turns, slices_of

# Of many rows it may take several turns of the loop.
Read = Callable[[LoadedModel], RequestRows | Awaitable[RequestRows]]


class Call(Protocol):
    """What a protocol knows of its request. `limit_fields` is where it is told what the caller's limit has left."""

    @property
    def asking(self) -> Asking: ...

    limit_fields: Fields


class Ready(NamedTuple):
    """Whole rows that nothing is wrong with, the version that shall answer them, and for which arm."""

    model: LoadedModel
    request: RequestRows
    arm: str


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

    @property
    def turns(self) -> Turns:
        """In which protocols read and write many rows."""
        return self._predictor.turns

    def admit(self, caller: Principal, name: str) -> Bucket | None:
        """The bucket that pays for the rows; None where there is no limit. Raises InsufficientScope or RateLimited."""
        require_predict(caller, name)
        return self._rates.admit(caller.subject, name) if self._rates.on else None

    async def answer(
        self, call: Call, name: str, bucket: Bucket | None, read: Read, *, version: str | None = None
    ) -> Answered:
        """Raises what `ready` and the predictor raise."""
        asking = call.asking
        model, arm = self.routing.route(name, asking, version)
        asking = asking.of_arm(arm)
        request = read(model)
        if not isinstance(request, RequestRows):
            request = await request
        if bucket is not None:
            call.limit_fields = self._rates.charged(bucket, request.size)
        if asking.stages is not None:
            asking.stages.ended("read")
        if model.definition.view is not None:
            request = await self._whole_rows(model, request)
            if asking.stages is not None:
                asking.stages.ended("features")
        if len(request.rows) > 1:
            return await self._many(model, request, asking)
        try:
            return Answered(model, request, [await self._predictor.predict(model, request.rows[0], asking)])
        except PredictionFailed as error:
            raise _placed(error, request) from error.__cause__

    async def ready(self, call: Call, name: str, bucket: Bucket | None, read: Read) -> Ready:
        """Rows for an answer later. Raises ModelNotReady, what `read` raises, or EntityNotFound."""
        model, arm = self.routing.route(name, call.asking)
        request = read(model)
        if not isinstance(request, RequestRows):
            request = await request
        if bucket is not None:
            call.limit_fields = self._rates.charged(bucket, request.size)
        return Ready(model, await self._whole_rows(model, request), arm)

    async def answer_ready(self, ready: Ready, asking: Asking) -> Answered:
        model, request, arm = ready
        asking = asking.of_arm(arm)
        return Answered(model, request, [await self._predictor.predict(model, request.rows[0], asking)])

    async def _many(self, model: LoadedModel, request: RequestRows, asking: Asking) -> Answered:
        """A row whose prediction failed is one that is not valid: an error of its own where such rows are skipped."""
        found = await self._predictor.predict_each(model, request.rows, asking, skips=request.skips)
        return Answered(model, *answered_rows(request, found))

    async def _whole_rows(self, model: LoadedModel, request: RequestRows) -> RequestRows:
        """The request with the features of its entities."""
        view = model.definition.view
        if view is None:
            return request
        rows = request.rows
        if len(rows) <= SLICE_ROWS:
            return known_rows(request, await self._entities.complete(model, rows), view.key)
        found: list[msgspec.Struct | None] = []
        for part in slices_of(len(rows)):
            await self.turns.next()
            found += await self._entities.complete(model, rows[part])
        return known_rows(request, found, view.key)


def _placed(error: PredictionFailed, request: RequestRows) -> PredictionFailed:
    """Of the only row of a batch, it says where that is."""
    if not request.is_batch:
        return error
    errors = [*request.errors, failed_row(request, request.places[0], error)]
    return PredictionFailed(error.detail, errors=errors)
