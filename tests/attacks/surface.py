"""Every address of a worker that something answers at, and the few that are open."""

from __future__ import annotations

from serving.http.problems import problem_types
from tests.attacks.conftest import INNER_PAGES
from tests.front_service import CATALOG, FrontService

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "")

# Anybody may ask these; those that give or take tokens ask for a proof of their own.
OPEN_ROUTES = frozenset(
    {
        *("/livez", "/healthz", "/readyz", "/health", "/status", "/metrics", "/metrics/prometheus"),
        *("/docs", "/openapi.json", "/.well-known/jwks.json"),
        *("/login", "/auth/token", "/auth/refresh", "/auth/revoke"),
        *(f"/problems/{code}" for code in problem_types()),
        *("/v2", "/v2/", "/v2/health/live", "/v2/health/ready"),
        *(f"/v2/models/{name}/ready" for name in CATALOG),
        *(f"/v1/models/{name}" for name in CATALOG),
    }
)
OPEN_FILES = frozenset({"/static_content/swagger-ui.css", "/static_content/swagger-ui-bundle.js"})

# A token is enough here, without any scope: what they tell is about the caller, or open elsewhere.
NO_SCOPE = frozenset({"/auth/me", "/auth/logout", "/auth/sessions", *("/", "/schema.json", "/docs.json")})


def addresses(service: FrontService) -> set[str]:
    surface = service.worker.front._surface
    below = {f"{prefix}{name}" for prefix in surface.prefixes for name in ("", "made-up", "0" * 26)}
    below |= {path.replace("*", name) for path in surface.within for name in ("", "made-up", "1")}
    return {*surface.routes, *surface.prefixes, *below, *surface.open_assets, *INNER_PAGES, "/predict_iris"}


def closed(service: FrontService) -> list[str]:
    return sorted(addresses(service) - OPEN_ROUTES - OPEN_FILES)
