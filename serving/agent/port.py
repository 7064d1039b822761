"""The agent's own port: `/metrics` for Prometheus, and `/livez` for whoever supervises it as a sidecar."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog

from serving.agent.pulse import Pulse

RETRY_SECONDS = 1.0
REQUEST_SECONDS = 10


class AgentPort:
    """Served from a thread. The port may still belong to an agent that is going away: it is asked for until it is free."""

    def __init__(self, address: tuple[str, int], registry: Any, pulse: Pulse) -> None:
        self._address, self._registry, self._pulse = address, registry, pulse

    def run(self, stop: threading.Event) -> None:
        """Until told to stop. A port of 0 turns it off."""
        if not self._address[1]:
            return
        server = self._bound(stop)
        if server is not None:
            threading.Thread(target=server.serve_forever, name="port", daemon=True).start()
            stop.wait()
            server.shutdown()
            server.server_close()

    def _bound(self, stop: threading.Event) -> WSGIServer | None:
        said = False
        while not stop.is_set():
            try:
                server = _server_class(self._address[0])(self._address, _Handler)
            except OSError as error:
                if not said:
                    structlog.get_logger("slipway.agent").warning(
                        "no metrics port yet", port=self._address[1], reason=str(error)
                    )
                said = True
                stop.wait(RETRY_SECONDS)
            else:
                server.set_app(agent_app(self._registry, self._pulse))
                return server
        return None


def agent_app(registry: Any, pulse: Pulse) -> Callable[..., Iterable[bytes]]:
    """WSGI: liveness at `/livez`, metrics everywhere else."""
    from prometheus_client import make_wsgi_app

    metrics = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/livez":
            scraped: Iterable[bytes] = metrics(environ, start_response)
            return scraped
        stuck = pulse.stuck()
        status = "503 Service Unavailable" if stuck else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps({"live": not stuck, "stuck": stuck}).encode()]

    return app


def _server_class(host: str) -> type[WSGIServer]:
    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *arguments: Any) -> None:
        """A scrape is nothing to tell."""
