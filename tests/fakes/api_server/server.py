"""An API server for tests, over real HTTP: lists, watches, RBAC, discovery, port-forward, and every way to fail.

It keeps what it is given and answers as Kubernetes does; no controller runs, so a test says itself what happens next.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.fakes.api_server.access import Rules
from tests.fakes.api_server.state import PLACES, Json, Place, State

ADMIN, ADMIN_TOKEN = "admin", "token-of-the-admin"
NAMESPACE = "slipway-staging"


@dataclass
class Fault:
    """What happens instead of an answer, to requests whose path has this text, so many times."""

    path: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    hang_up: bool = False
    times: int = 1
    method: str = ""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests."""


class FakeApiServer:
    """Use it as a context manager. `users` maps tokens to names; `backends` a pod's port to where it really listens."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, rules: Rules | None = None) -> None:
        self.state = State()
        self.rules = rules or Rules(None)
        self.users = {ADMIN_TOKEN: ADMIN}
        self.places = list(PLACES)
        self.version = {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
        self.logs: dict[tuple[str, str, bool], str] = {}
        self.backends: dict[tuple[str, int], tuple[str, int]] = {}
        self.requests: list[tuple[str, str]] = []
        self.streams: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._tls = tls
        from tests.fakes.api_server.handler import handler_for

        self._listener = _Listener(("127.0.0.1", 0), handler_for(self))
        if tls is not None:
            self._listener.socket = tls.wrap_socket(self._listener.socket, server_side=True)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.state.stop()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(5)

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def place(self, kind: str) -> Place:
        return next(place for place in PLACES if place.kind == kind)

    def forget_kind(self, kind: str) -> None:
        """As if its CRD, or the server that answers for it, were not installed."""
        self.places = [place for place in self.places if place.kind != kind]

    def add(self, *items: Json) -> None:
        """Objects as manifests: they get a resource version and are told to the watches."""
        for item in items:
            self.state.put(self.place(item["kind"]), item, spec_changed=False)

    def remove(self, kind: str, name: str, namespace: str = NAMESPACE) -> None:
        self.state.remove(self.place(kind), namespace, name)

    def get(self, kind: str, name: str, namespace: str = NAMESPACE) -> Json:
        found = self.state.get(self.place(kind), namespace, name)
        assert found is not None, f"no {kind} {name}"
        return found

    def fail(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.path in path and fault.method in ("", method) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def wait_for_streams(self, plural: str, count: int = 1, seconds: float = 5.0) -> None:
        """Until so many watches of a kind have been opened in all."""
        deadline = time.monotonic() + seconds
        while self.streams[plural] < count:
            assert time.monotonic() < deadline, f"{self.streams[plural]} watches of {plural}, not {count}"
            time.sleep(0.01)

    def kubeconfig(
        self, folder: Path, *, token: str = ADMIN_TOKEN, namespace: str = NAMESPACE, ca: Path | None = None
    ) -> Path:
        """A file with two contexts: `fake`, which is the current one, and `elsewhere`, with another namespace."""
        trust = {"certificate-authority": str(ca)} if ca else {}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url, **trust}}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [
                {"name": "fake", "context": {"cluster": "fake", "user": "me", "namespace": namespace}},
                {"name": "elsewhere", "context": {"cluster": "fake", "user": "me", "namespace": "elsewhere"}},
            ],
        }
        path = folder / f"kubeconfig-{len(token)}-{self.port}"
        path.write_text(yaml.safe_dump(config))
        return path
