"""The table of contents of the HTTP API: every path, its methods, its scope, and whether it is open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

from auth.scopes import FEEDBACK, READ
from modelkit.definition import ModelDefinition
from modelkit.errors import ModelNotFound, NotFound
from serving.http.app import Handler, Route, Surface
from serving.http.docs import DOCS_ASSETS, DocsRoutes
from serving.http.exchange import Exchange, Reply
from serving.http.explain import ExplainRoutes
from serving.http.feedback import FeedbackRoutes
from serving.http.history import HistoryRoutes
from serving.http.identity import IdentityRoutes
from serving.http.native import NativeRoutes
from serving.http.oauth import OAuthRoutes
from serving.http.oip_surface import ProtocolRoutes, protocol_prefixes, protocol_routes, protocol_within
from serving.http.own_records import PREFIX as OWN_RECORDS
from serving.http.own_records import TEMPLATE as OWN_RECORD
from serving.http.own_records import OwnRecordRoutes
from serving.http.own_sessions import PREFIX as OWN_SESSIONS
from serving.http.own_sessions import TEMPLATE as OWN_SESSION
from serving.http.own_sessions import OwnSessionRoutes
from serving.http.problems import problem_types
from serving.http.status import StatusRoutes
from serving.http.well_known import WellKnownRoutes
from serving.metrics import Metrics, exposition

ISSUING = ("/login", "/auth/token", "/auth/refresh")
TEXT = b"text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """The handlers that the surface is made of. `docs`, `explain` and `metrics` are None where they are switched off.

    Without `issues_tokens` the paths that answer with a token of ours are not found.
    """

    native: NativeRoutes
    status: StatusRoutes
    identity: IdentityRoutes
    oauth: OAuthRoutes
    own_sessions: OwnSessionRoutes
    history: HistoryRoutes
    own_records: OwnRecordRoutes
    feedback: FeedbackRoutes
    well_known: WellKnownRoutes
    protocols: ProtocolRoutes
    explain: ExplainRoutes | None
    issues_tokens: bool
    docs: DocsRoutes | None
    metrics: Metrics | None


def make_surface(handlers: Handlers, definitions: Collection[ModelDefinition]) -> Surface:
    """Routes by exact path; metric labels use the template, so their number does not grow with models or callers.

    Raises ValueError where a model wants the path of something else.
    """
    routes = _probes(handlers.status) | _identity(handlers)
    routes |= protocol_routes(handlers.protocols, definitions)
    routes["/.well-known/jwks.json"] = Route(
        "/.well-known/jwks.json", {"GET": handlers.well_known.jwks}, open=True
    )
    if not handlers.issues_tokens:
        routes |= {path: _not_found(routes[path]) for path in ISSUING if path in routes}
    for definition in definitions:
        own = _model(handlers, definition) | _explain(handlers.explain, definition.name)
        if taken := set(own) & set(routes):
            raise ValueError(f"{definition.name} wants {sorted(taken)}, which is taken")
        routes |= own
    routes["/feedback"] = Route("/feedback", {"POST": handlers.feedback.feedback}, scope=FEEDBACK)
    routes["/predict"] = Route("/predict", {"POST": handlers.native.predict_any}, limited=True)
    for path in ("/models", "/models/info"):
        routes[path] = Route(path, {"GET": handlers.status.models}, scope=READ)
    if handlers.docs is not None:
        routes |= _docs(handlers.docs)
    if handlers.metrics is not None:
        for path in ("/metrics", "/metrics/prometheus"):
            routes[path] = Route(path, {"GET": partial(_metrics, handlers.metrics)}, open=True, probe=True)
    assets = DOCS_ASSETS if handlers.docs is not None else frozenset()
    return Surface(
        routes=routes,
        prefixes=_prefixes(handlers) | protocol_prefixes(handlers.protocols, definitions),
        within=protocol_within(handlers.protocols, definitions),
        open_assets=assets,
    )


def _probes(status: StatusRoutes) -> dict[str, Route]:
    handlers: dict[str, Handler] = {
        "/livez": status.live,
        "/healthz": status.live,
        "/readyz": status.ready,
        "/health": status.health,
        "/status": status.status,
    }
    return {path: Route(path, {"GET": handler}, open=True, probe=True) for path, handler in handlers.items()}


def _identity(handlers: Handlers) -> dict[str, Route]:
    """Those that are open ask for a proof of their own."""
    identity, own = handlers.identity, handlers.own_sessions
    opening: dict[str, Handler] = {
        "/login": identity.login,
        "/auth/token": handlers.oauth.token,
        "/auth/refresh": identity.refresh,
        "/auth/revoke": handlers.oauth.revoke,
    }
    routes = {
        path: Route(path, {"POST": handler}, open=True, oauth=True) for path, handler in opening.items()
    }
    routes["/auth/me"] = Route("/auth/me", {"GET": identity.me})
    routes["/auth/logout"] = Route("/auth/logout", {"POST": own.log_out})
    routes["/auth/sessions"] = Route("/auth/sessions", {"GET": own.list})
    return routes


def _model(handlers: Handlers, definition: ModelDefinition) -> dict[str, Route]:
    name = definition.name
    predict = partial(handlers.native.predict, name=name)
    about = partial(handlers.status.model, name=name)
    history = partial(handlers.history.history, name=name)
    own = (
        {definition.path: Route(definition.path, {"POST": predict}, limited=True)} if definition.path else {}
    )
    return own | {
        f"/predict/{name}": Route("/predict/{model}", {"POST": predict}, limited=True),
        f"/models/{name}": Route("/models/{model}", {"GET": about}, scope=READ),
        f"/models/{name}/history": Route("/models/{model}/history", {"GET": history}, scope=READ),
    }


def _explain(explain: ExplainRoutes | None, name: str) -> dict[str, Route]:
    if explain is None:
        return {}
    handlers = {"POST": partial(explain.explain, name=name)}
    return {f"/explain/{name}": Route("/explain/{model}", handlers)}


def _docs(docs: DocsRoutes) -> dict[str, Route]:
    routes = {
        "/docs": Route("/docs", {"GET": docs.page}, open=True),
        "/openapi.json": Route("/openapi.json", {"GET": docs.openapi}, open=True),
    }
    for code in problem_types():
        routes[f"/problems/{code}"] = Route(
            "/problems/{code}", {"GET": partial(docs.problem, code=code)}, open=True
        )
    return routes


def _prefixes(handlers: Handlers) -> dict[str, Route]:
    return {
        OWN_SESSIONS: Route(OWN_SESSION, {"DELETE": handlers.own_sessions.end}),
        OWN_RECORDS: Route(OWN_RECORD, {"GET": handlers.own_records.prediction}),
        "/predict/": Route("/predict/{model}", {"POST": _no_such_model}),
        **({"/explain/": Route("/explain/{model}", {"POST": _no_such_model})} if handlers.explain else {}),
        "/models/": Route("/models/{model}", {"GET": _no_such_model}, scope=READ),
        "/problems/": Route("/problems/{code}", {"GET": _nothing}),
    }


def _not_found(route: Route) -> Route:
    """Open still: where nobody gets a token, to ask for one first would be a bad joke."""
    return replace(route, handlers=dict.fromkeys(route.handlers, _nothing))


async def _no_such_model(exchange: Exchange) -> Reply:
    raise ModelNotFound


async def _nothing(exchange: Exchange) -> Reply:
    raise NotFound


async def _metrics(metrics: Metrics, exchange: Exchange) -> Reply:
    metrics.fold()
    return Reply(200, exposition(metrics.registry), TEXT)
