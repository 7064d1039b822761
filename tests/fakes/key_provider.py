"""A provider of keys over real HTTP: discovery and a key set, which tests rotate, break, slow down and put behind TLS."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakes.provider_keys import Signer

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"


class KeyProvider:
    """Use it as a context manager. `asked` counts requests by path; `failure` is answered while it is set."""

    def __init__(self, *signers: Signer, tls: ssl.SSLContext | None = None, bearer: str = "") -> None:
        self.signers = list(signers) or [Signer()]
        self.bearer, self.failure = bearer, 0
        self.asked: Counter[str] = Counter()
        self.seen_bearers: list[str] = []
        self.keys_path = KEYS
        self.extra: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None
        self.drip_seconds = 0.0
        self.header_seconds = 0.0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

            def do_GET(self) -> None:
                status, body = provider.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **provider.headers}.items():
                    self.send_header(name, value)
                while provider.header_seconds:
                    self.send_header("X-More", "to come")
                    self.flush_headers()
                    time.sleep(provider.header_seconds)
                self.end_headers()
                for start in range(0, len(body), 1 if provider.drip_seconds else max(1, len(body))):
                    self.wfile.write(body[start : start + (1 if provider.drip_seconds else len(body))])
                    time.sleep(provider.drip_seconds)

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up or does not trust us is part of the tests."""

        self._listener = Listener(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._listener.socket = tls.wrap_socket(self._listener.socket, server_side=True)
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.asked[path] += 1
        self.seen_bearers.append(authorization)
        if self.failure:
            return self.failure, b"{}"
        if self.bearer and authorization != f"Bearer {self.bearer}":
            return 401, b"{}"
        if self.body is not None:
            return 200, self.body
        if path == DISCOVERY:
            told = {"issuer": self.url, "jwks_uri": self.url + self.keys_path, **self.extra}
            return 200, json.dumps(told).encode()
        return 200, json.dumps({"keys": [signer.public() for signer in self.signers]}).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(5)
