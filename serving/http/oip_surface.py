"""The table of contents below `/v2` and `/v1`: the routes of the protocols that others defined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from auth.scopes import READ
from modelkit.definition import ModelDefinition
from modelkit.errors import ModelNotFound
from serving.http.app import Handler, Route
from serving.http.exchange import Exchange, Reply
from serving.http.kserve_v1 import KServeV1Routes
from serving.http.oip import OipRoutes
from serving.http.oip_models import OipModelRoutes

MODEL = "/v2/models/{model}"
VERSION = f"{MODEL}/versions/{{version}}"
REPOSITORY = "/v2/repository/models/{model}"


@dataclass(frozen=True, kw_only=True)
class ProtocolRoutes:
    """The handlers that these routes are made of."""

    oip: OipRoutes
    models: OipModelRoutes
    v1: KServeV1Routes


def protocol_routes(routes: ProtocolRoutes, definitions: Iterable[ModelDefinition]) -> dict[str, Route]:
    """Those whose whole path is known."""
    models = routes.models
    opening: dict[str, Handler] = {"/v2/health/live": models.live, "/v2/health/ready": models.ready}
    found = {path: Route(path, {"GET": handler}, open=True, probe=True) for path, handler in opening.items()}
    found |= {path: Route("/v2", {"GET": models.server}, open=True) for path in ("/v2", "/v2/")}
    found["/v2/repository/index"] = Route("/v2/repository/index", {"POST": models.index}, scope=READ)
    found["/v1/models"] = Route("/v1/models", {"GET": models.names}, scope=READ)
    for definition in definitions:
        found |= _model(routes, definition.name)
    return found


def _model(routes: ProtocolRoutes, name: str) -> dict[str, Route]:
    models = routes.models
    infer, ready = partial(routes.oip.infer, name=name), partial(models.model_ready, name=name)
    predict = partial(routes.v1.predict, name=name)
    return {
        f"/v2/models/{name}": Route(MODEL, {"GET": partial(models.model, name=name)}, scope=READ),
        f"/v2/models/{name}/infer": Route(f"{MODEL}/infer", {"POST": infer}, limited=True),
        f"/v2/models/{name}/ready": Route(f"{MODEL}/ready", {"GET": ready}, open=True, probe=True),
        f"/v1/models/{name}": Route("/v1/models/{model}", {"GET": ready}, open=True, probe=True),
        f"/v1/models/{name}:predict": Route("/v1/models/{model}:predict", {"POST": predict}, limited=True),
    }


def protocol_prefixes(routes: ProtocolRoutes, definitions: Iterable[ModelDefinition]) -> dict[str, Route]:
    """Those that end with a version or with a name that no model has."""
    models = routes.models
    found = {
        f"/v2/models/{definition.name}/versions/": Route(
            VERSION, {"GET": partial(models.version, name=definition.name)}, scope=READ
        )
        for definition in definitions
    }
    found["/v2/models/"] = Route(MODEL, {"GET": _no_such_model}, scope=READ)
    found["/v1/models/"] = Route("/v1/models/{model}", {"GET": _no_such_model, "POST": _no_such_model})
    return found


def protocol_within(routes: ProtocolRoutes, definitions: Iterable[ModelDefinition]) -> dict[str, Route]:
    """Those with a version, or any name, as the last segment but one: a star stands for it."""
    models, refuse = routes.models, routes.models.refuse
    found = {}
    for definition in definitions:
        name, start = definition.name, f"/v2/models/{definition.name}/versions/*"
        infer = partial(routes.oip.infer, name=name, versioned=True)
        ready = partial(models.version_ready, name=name)
        found[f"{start}/infer"] = Route(f"{VERSION}/infer", {"POST": infer}, limited=True)
        found[f"{start}/ready"] = Route(f"{VERSION}/ready", {"GET": ready}, scope=READ)
    found["/v2/models/*/infer"] = Route(f"{MODEL}/infer", {"POST": _no_such_model})
    found["/v2/models/*/ready"] = Route(f"{MODEL}/ready", {"GET": _no_such_model})
    for verb in ("load", "unload"):
        template = f"{REPOSITORY}/{verb}"
        found[f"/v2/repository/models/*/{verb}"] = Route(template, {"POST": refuse}, scope=READ)
    return found


async def _no_such_model(exchange: Exchange) -> Reply:
    raise ModelNotFound
