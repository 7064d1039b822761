"""A registry of images on loopback, in memory: blobs and manifests by digest and tag, as far as cosign and its library ask."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|referrers)/(?P<what>[^?]*)")


class OciRegistry(ThreadingHTTPServer):
    """What was put is kept by address: `name/manifests/sha256:…`, `name/manifests/tag`, `name/blobs/sha256:…`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kept: dict[str, tuple[bytes, str]] = {}
        self.uploads = itertools.count(1)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def push(self, name: str, content: str) -> str:
        """An image that holds nothing but this. Returns its reference by digest."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "author": content}).encode()
        self.kept[f"{name}/blobs/{_digest(config)}"] = (config, "application/octet-stream")
        told = {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": _digest(config),
            "size": len(config),
        }
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": told, "layers": []}
        ).encode()
        self.kept[f"{name}/manifests/{_digest(manifest)}"] = (manifest, MANIFEST)
        return f"{self.address}/{name}@{_digest(manifest)}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OciRegistry

    def do_GET(self) -> None:
        found = PATH.fullmatch(self.path)
        if self.path == "/v2/":
            self._answer(200, b"{}")
        elif found and (kept := self.server.kept.get(f"{found['name']}/{found['kind']}/{found['what']}")):
            self._answer(200, kept[0], kept[1], digest=_digest(kept[0]))
        else:
            self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """A session of its own for each blob: clients send several at once."""
        self._answer(202, b"", location=f"{self.path.rstrip('/')}/{next(self.server.uploads)}?")

    def do_PATCH(self) -> None:
        self.server.kept[self.path.partition("?")[0]] = (self._body(), "")
        self._answer(202, b"", location=f"{self.path.partition('?')[0]}?")

    def do_PUT(self) -> None:
        body, path = self._body(), self.path.partition("?")[0]
        if found := PATH.fullmatch(path):
            told = self.headers["Content-Type"]
            if found["kind"] == "manifests":
                for what in (found["what"], _digest(body)):
                    self.server.kept[f"{found['name']}/manifests/{what}"] = (body, told)
            else:  # the end of an upload
                blob = self.server.kept.pop(path, (b"", ""))[0] + body
                name = found["name"]
                self.server.kept[f"{name}/blobs/{_digest(blob)}"] = (blob, "application/octet-stream")
        self._answer(201, b"", digest=_digest(body))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(
        self, code: int, body: bytes, told: str = "application/json", *, digest: str = "", location: str = ""
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", told)
        self.send_header("Content-Length", str(len(body)))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: it answers tests."""


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def oci_registry() -> Iterator[OciRegistry]:
    with OciRegistry() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
