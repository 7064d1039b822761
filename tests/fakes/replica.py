"""A pod of the service as the verbs see it: three ports that answer what a test puts into it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from tests.fakes.api_server import shapes
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.http_service import Asked, HttpService, Said

TOKEN = "token-of-a-reader"
TEXT = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
HEALTHY_AGENT = 'slipway_registry_polls_total{result="ok"} 12.0\nslipway_agent_records_pending 0.0\n'


def model(name: str, loaded: str | None, desired: str | None, **more: Any) -> dict[str, Any]:
    """An entry of `GET /models`."""
    entry = {
        "name": name,
        "loaded": loaded,
        "desired": desired,
        "state": "ready",
        "reason": "",
        "stale": False,
    }
    return entry | more


class Replica:
    """Use it as a context manager: its pod is added to the cluster and its ports can be forwarded."""

    def __init__(
        self, api: FakeApiServer, name: str, *models: dict[str, Any], pod: shapes.Json | None = None
    ) -> None:
        self._api, self._name, self.models = api, name, models
        self._pod = pod or shapes.pod(name)
        self.reasons: dict[str, str] = {}
        self.extra_metrics, self.agent_metrics = "", HEALTHY_AGENT
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._api.add(self._pod)
        for port, answer in ((8000, self._service), (9100, self._metrics), (9101, self._agent)):
            listener = self._stack.enter_context(HttpService(answer))
            self._api.backends[self._name, port] = listener.address
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _service(self, asked: Asked) -> Said:
        if asked.path == "/readyz":
            body = {"ready": not self.reasons, "reasons": self.reasons}
            return Said(503 if self.reasons else 200, json.dumps(body).encode())
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Said(401, b'{"code": "unauthenticated", "detail": "the token is not valid"}')
        return Said(200, json.dumps({"models": self.models}).encode())

    def _metrics(self, asked: Asked) -> Said:
        lines = []
        for entry in self.models:
            name, version = entry["name"], entry["loaded"]
            if version:
                lines.append(f'slipway_model_info{{digest="d",model="{name}",version="{version}"}} 1.0')
                lines.append(f'slipway_model_info{{digest="d",model="{name}",version="old"}} 0.0')
            skew = float(version != entry["desired"])
            lines.append(f'slipway_model_version_skew{{model="{name}"}} {skew}')
            for state in ("waiting", "loading", "ready", "failed"):
                now = float(state == entry["state"])
                lines.append(f'slipway_model_state{{model="{name}",state="{state}"}} {now}')
        return Said(200, ("\n".join(lines) + "\n" + self.extra_metrics).encode(), TEXT)

    def _agent(self, asked: Asked) -> Said:
        return Said(200, self.agent_metrics.encode(), TEXT)
