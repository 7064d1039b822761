"""How the front app and BentoML meet: a Service that puts our app before its middleware stack, and typed APIs made
from the catalog, so that BentoML's own clients and composition work as BentoML's users expect.

BentoML imports this in the parent process too, before any worker: what only a worker needs is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bentoml
import click
from _bentoml_sdk import Service
from bentoml.exceptions import BentoMLException
from pydantic import BaseModel

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.errors import SlipwayError
from serving.typed_answers import TypedAnswer, api_name, taken, typed_answer

if TYPE_CHECKING:
    from serving.bootstrap import Worker
    from serving.event_lines import EventLines
    from serving.http.app import Inner
    from serving.http.exchange import Receive, Scope, Send


class SlipwayService(Service[Any]):
    """A BentoML service whose every path is owned by our front app."""

    worker: Worker | None = None

    def inject_config(self) -> None:
        """What BentoML must know of our settings. `bentoml build` asks too, and needs none.

        The metrics folder is our own: BentoML's default is shared by every service of a user, and each start empties it.
        """
        if _is_being_built():
            return super().inject_config()
        from bentoml._internal.configuration.containers import BentoMLContainer

        from serving.door import check_service
        from serving.lifecycle.settings import restrain_native_code
        from serving.settings import Settings

        restrain_native_code()
        settings = Settings()
        check_service(settings)
        self.config["workers"] = settings.workers
        BentoMLContainer.prometheus_multiproc_dir.set(str(settings.metrics_dir.absolute()))
        super().inject_config()

    def to_asgi(self, is_main: bool = True) -> Any:
        from serving.bootstrap import Worker
        from serving.connections.descriptors import connections_within_reach
        from serving.connections.protocol import serve_with_bounds
        from serving.lifecycle.orphans import end_with_parent
        from serving.lifecycle.settings import parent_that_started_us
        from serving.logs import configure_logs
        from serving.settings import Settings, believe_only_our_proxies

        settings = Settings()
        events = configure_logs(settings.log_level)
        believe_only_our_proxies()
        serve_with_bounds()
        most = connections_within_reach(settings.max_connections)
        settings = settings.model_copy(update={"max_connections": most})
        end_with_parent(parent_that_started_us())
        self.worker = Worker(settings)
        events.counted = self.worker.metrics.telling.lines
        inner = super().to_asgi(is_main=is_main)
        self.worker.front.pass_on(self._inner(inner))
        return Outermost(self.worker, inner, events)

    def _inner(self, app: Any) -> Inner:
        from serving.http.app import Inner
        from serving.http.passed_on import passed_on
        from serving.typed_problems import WithProblems

        assert self.worker is not None
        return Inner(WithProblems(app), *passed_on(self.worker.native, self.worker.definitions.values()))


def _is_being_built() -> bool:
    command = click.get_current_context(silent=True)
    return command is not None and command.command.name == "build"


class Outermost:
    """Tells requests from lifespan events: our background work starts before BentoML's and stops before it reports done."""

    def __init__(self, worker: Worker, inner: Any, events: EventLines) -> None:
        from serving.lifecycle.departure import Departure, seconds_to_leave

        self._front, self._runtime, self._inner = worker.front, worker.runtime, inner
        seconds = seconds_to_leave(worker.settings)
        self._departure = Departure(worker.drain, worker.runtime, events, seconds=seconds)
        self._house = worker.house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            return await self._front(scope, receive, send)
        if scope["type"] == "lifespan":
            return await self._lifespan(scope, receive, send)
        await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        from serving.connections.house import STATE

        scope["state"][STATE] = self._house

        async def around(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._runtime.start()
                self._departure.begin_at_sigterm()
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await self._runtime.stop()
            await send(message)

        await self._inner(scope, receive, around)


def with_typed_apis(inner: type[Any]) -> type[Any]:
    """Adds `predict_<model>` for every model of the catalog; the same use case behind the same authentication."""
    for definition in load_catalog().values():
        name = api_name(definition)
        setattr(inner, name, bentoml.api(_typed_api(definition, name)))
    return inner


def _typed_api(definition: ModelDefinition, name: str) -> Callable[..., Any]:
    answer = typed_answer(definition)

    async def predict(self: Any, request: BaseModel, /) -> TypedAnswer:
        """The front app has read the request already; BentoML's reading of it only gives this method its schema."""
        try:
            body = await self.bento_service.worker.native.answer_checked()
        except SlipwayError as error:
            from serving.typed_problems import met

            met.get().append(error)
            raise _as_bentoml(error) from error
        return answer(**body)

    predict.__name__, predict.__doc__ = name, definition.description
    predict.__annotations__ = {"request": taken(definition), "return": answer}
    return predict


def _as_bentoml(error: SlipwayError) -> BentoMLException:
    from http import HTTPStatus

    translated = BentoMLException(error.detail)
    translated.error_code = HTTPStatus(error.status)
    return translated
