"""The front ASGI app: the life of a request from its first byte to its last, in the order of DESIGN 4.

Shed, authenticate, route, hand over, render. It stands before BentoML's middleware stack; what BentoML owns (its
typed APIs and pages) is passed on, after the same authentication.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from auth.scopes import require
from modelkit.errors import MethodNotAllowed, NotFound, Overloaded, SlipwayError, Unauthenticated
from serving.connections.whole_answers import taken_answer
from serving.http.exchange import (
    Exchange,
    FrontLimits,
    Headers,
    Message,
    Receive,
    Reply,
    Scope,
    Send,
    send_reply,
)
from serving.http.problems import PreparedRefusal, problem_reply
from serving.http.telling import TRACEPARENT, Telling
from serving.identifiers import REQUEST_ID, Identifiers
from serving.lifecycle.drain import Drain
from serving.overload.door import Door
from serving.tracing.context import TRACE

Handler = Callable[[Exchange], Awaitable[Reply]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

UNKNOWN_ROUTE = "unknown"


@dataclass(frozen=True, slots=True)
class Route:
    """One path. `template` labels metrics; `scope` is needed unless the route is open; probes are never shed.

    What `oauth` refuses has a name of OAuth 2.0's. `limited` are those that predict: only they meet the adaptive limit.
    """

    template: str
    handlers: Mapping[str, Handler]
    scope: str | None = None
    open: bool = False
    probe: bool = False
    oauth: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Surface:
    """`routes` by exact path; `prefixes` answer below them where no route does, for example for an unknown model.
    `within` has paths with a star for the last segment but one, whatever it is.

    `open_assets` are the files of BentoML's that the open pages load.
    """

    routes: Mapping[str, Route]
    prefixes: Mapping[str, Route]
    within: Mapping[str, Route] = field(default_factory=dict)
    open_assets: frozenset[str] = frozenset()

    @property
    def open_paths(self) -> frozenset[str]:
        return self.open_assets | {path for path, route in self.routes.items() if route.open}

    @property
    def methods(self) -> dict[str, set[str]]:
        """Of each template. What no route is asked for has none."""
        found: dict[str, set[str]] = {UNKNOWN_ROUTE: set()}
        for route in (*self.routes.values(), *self.prefixes.values(), *self.within.values()):
            own = found.setdefault(route.template, set())
            own.update(route.handlers, {"HEAD"} if "GET" in route.handlers else ())
        return found

    def route_of(self, path: str) -> Route | None:
        route = self.routes.get(path)
        if route is not None:
            return route
        start, _, last = path.rpartition("/")
        below = self.prefixes.get(f"{start}/")
        return below or self.within.get(f"{start.rpartition('/')[0]}/*/{last}")


Check = Callable[[Exchange], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Inner:
    """Another app behind ours: pages to read, and APIs that get a body only after their `Check` has accepted it."""

    app: AsgiApp
    pages: frozenset[str]
    apis: Mapping[str, Check]

    def owns(self, path: str) -> bool:
        return path in self.pages or path in self.apis

    async def admitted(self, exchange: Exchange) -> Receive:
        """What the app may read of the request. Raises MethodNotAllowed, or what the API's check raises."""
        path, method = exchange.scope["path"], exchange.scope["method"]
        check = self.apis.get(path)
        if method not in (("GET", "HEAD") if check is None else ("POST",)):
            raise MethodNotAllowed(headers=[("allow", "GET, HEAD" if check is None else "POST")])
        if check is None:
            return exchange.receive
        body = await check(exchange)

        async def replay() -> Message:
            nonlocal body
            message: Message = {"type": "http.request", "body": body, "more_body": False}
            body = b""
            return message

        return replay


class FrontApp:
    """Owns every path; see the module."""

    def __init__(
        self,
        surface: Surface,
        *,
        door: Door,
        drain: Drain,
        limits: FrontLimits,
        telling: Telling,
    ) -> None:
        self._surface, self._drain, self._limits = surface, drain, limits
        self._door, self._admission, self._overload = door, door.admission, door.overload
        self._uploads = door.uploads
        self._new_id = Identifiers()
        self._telling, self._metrics = telling, telling.metrics
        self._records, self._new_trace = telling.records, telling.new_trace
        self._prepared = PreparedRefusal()
        self._log = structlog.get_logger("slipway.service")
        self._inner: Inner | None = None

    def pass_on(self, inner: Inner) -> None:
        """Hands the exact paths of `inner` to another app, after the same checks as our own."""
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived, answer = time.perf_counter(), taken_answer(scope)
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        request_id = self._new_id() if given is None or not REQUEST_ID.fullmatch(given) else given.decode()
        route = self._surface.route_of(scope["path"])
        template, limited = (UNKNOWN_ROUTE, True) if route is None else (route.template, route.limited)
        exchange = Exchange(
            scope, receive, headers, request_id, arrived, self._limits, self._uploads, limited
        )
        traced, error_code = headers.get(TRACEPARENT), ""
        if traced is None and not self._records:
            exchange.traceparent = self._new_trace()
        else:
            self._telling.join(exchange, traced, template)
        metrics, overload = self._metrics, self._overload
        metrics.in_flight += 1
        try:
            if overload.late:
                exchange.late = 0.5 * overload.late  # it came at some time while the loop was at work
            if overload.in_progress >= overload.gate or metrics.in_flight > self._limits.max_in_flight:
                self._at_the_gate(route, headers.get(b"authorization"))
            try:
                exchange.principal = self._admission.admit(scope["path"], scope["headers"])
            except Unauthenticated as error:
                exchange.principal = await self._admission.admit_later(scope["path"], scope["headers"], error)
            if route is None and self._inner is not None and self._inner.owns(scope["path"]):
                return await self._delegate(self._inner, exchange, send)
            reply = await self._handler(route, exchange)(exchange)
        except SlipwayError as error:
            self._admission.refused(error, exchange, self._label(template, scope["path"]))
            reply, error_code = self._refusal(route, error, request_id), error.code
        except Exception as error:
            self._log.error("request failed", route=template, **_ids(exchange), exc_info=error)
            reply, error_code = self._refusal(route, SlipwayError(), request_id), SlipwayError.code
        finally:
            metrics.in_flight -= 1
        await send_reply(send, reply, self._own_headers(exchange), answer)
        self._telling.answered(exchange, template, reply.status, error_code)

    def _at_the_gate(self, route: Route | None, authorization: bytes | None) -> None:
        """Raises Overloaded."""
        if route is None or not route.probe:
            self._door.refuse_without_room(authorization, limited=route is None or route.limited)

    def _refusal(self, route: Route | None, error: SlipwayError, request_id: str) -> Reply:
        oauth = route is not None and route.oauth
        if isinstance(error, Overloaded) and error.milliseconds and not oauth:
            return self._prepared(request_id, error.milliseconds)
        return problem_reply(error, request_id=request_id, oauth=oauth)

    def _label(self, template: str, path: str) -> str:
        """What is passed on is labelled by its path: there are a few, and all of them known."""
        passed_on = template == UNKNOWN_ROUTE and self._inner is not None and self._inner.owns(path)
        return path if passed_on else template

    def _handler(self, route: Route | None, exchange: Exchange) -> Handler:
        """The route's handler for the method. Raises NotFound, MethodNotAllowed or InsufficientScope."""
        if exchange.stages is not None:
            exchange.stages.ended("admission")
        if route is None:
            raise NotFound
        method = exchange.scope["method"]
        handler = route.handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = {*route.handlers, *(("HEAD",) if "GET" in route.handlers else ())}
            raise MethodNotAllowed(headers=[("allow", ", ".join(sorted(allowed)))])
        if route.scope is not None:
            require(exchange.caller, route.scope)
        return handler

    def _own_headers(self, exchange: Exchange) -> Headers:
        headers = [
            (b"x-request-id", exchange.request_id.encode()),
            (TRACEPARENT, exchange.traceparent),
            *exchange.limit_fields,
        ]
        if self._drain.active:
            headers.append((b"connection", b"close"))
        return headers

    async def _delegate(self, inner: Inner, exchange: Exchange, send: Send) -> None:
        """Lets BentoML's own stack answer, and counts what it said."""
        receive = await inner.admitted(exchange)
        path, status = exchange.scope["path"], 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._own_headers(exchange)]
            await send(message)

        await inner.app(exchange.scope, receive, counted)
        self._telling.answered(exchange, path, status)


def _ids(exchange: Exchange) -> dict[str, str]:
    return {"request_id": exchange.request_id, "trace_id": exchange.traceparent[TRACE].decode()}
