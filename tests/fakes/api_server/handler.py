"""One request to the fake API server: who asks, may they, does it go wrong, and what is the answer."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.api_server.access import Question
from tests.fakes.api_server.json_patch import PatchFailed, patched
from tests.fakes.api_server.port_forward import bridge, handshake
from tests.fakes.api_server.state import Json, Place, gone, status

if TYPE_CHECKING:
    from tests.fakes.api_server.server import FakeApiServer

OBJECT = re.compile(
    r"/(?:api|apis/(?P<group>[a-z0-9.]+))/(?P<version>v[a-z0-9]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[a-z]+))?"
)
PAGE = re.compile(r"/(?:api|apis/(?P<group>[a-z0-9.]+))/(?P<version>v[a-z0-9]+)")
VERBS = {"GET": "get", "POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "AlreadyExists"}


@dataclass(frozen=True)
class Target:
    place: Place
    namespace: str
    name: str
    sub: str


class Answered(Exception):
    """The answer is a Status."""

    def __init__(self, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code = code
        self.document = status(code, REASONS.get(code, "InternalError"), message, **more)


def handler_for(server: FakeApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        api = server

    return Handler


class _Handler(BaseHTTPRequestHandler):
    api: FakeApiServer
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms otherwise

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        query = dict(parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.api.requests.append((self.command, self.path))
        try:
            if self._goes_wrong(path):
                return
            user = self._user()
            if (found := self._fixed(path, user, body)) is not None:
                self._json(201 if self.command == "POST" else 200, found)
                return
            self._object(self._target(path, query, user), query, body)
        except Answered as answer:
            self._json(answer.code, answer.document)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _goes_wrong(self, path: str) -> bool:
        fault = self.api.next_fault(self.command, path)
        if fault is None:
            return False
        time.sleep(fault.delay_seconds)
        if fault.hang_up:
            self.close_connection = True
            return True
        if fault.status:
            reason = REASONS.get(fault.status, "InternalError")
            self._json(
                fault.status, status(fault.status, reason, f"said to fail: {fault.status}"), fault.headers
            )
            return True
        return False

    def _user(self) -> str:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        user = self.api.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise Answered(401, "Unauthorized")
        return user

    def _fixed(self, path: str, user: str, body: bytes) -> Json | None:
        """The version, the discovery, and what one may do."""
        if path == "/version":
            return self.api.version
        if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
            return self._review(user, json.loads(body))
        match = PAGE.fullmatch(path)
        return self._discovery(match["group"] or "", match["version"]) if match else None

    def _review(self, user: str, review: Json) -> Json:
        asked = review["spec"]["resourceAttributes"]
        names = ("verb", "group", "resource", "namespace")
        allowed = self.api.rules.allow(user, Question(**{name: asked.get(name, "") for name in names}))
        return {**review, "status": {"allowed": allowed}}

    def _discovery(self, group: str, version: str) -> Json:
        found = [place for place in self.api.places if (place.group, place.version) == (group, version)]
        if not found:
            raise Answered(404, "the server could not find the requested resource")
        resources = [
            {"name": p.plural, "kind": p.kind, "namespaced": p.namespaced, "verbs": ["get", "list", "watch"]}
            for p in found
        ]
        return {"kind": "APIResourceList", "groupVersion": found[0].group_version, "resources": resources}

    def _target(self, path: str, query: dict[str, str], user: str) -> Target:
        match = OBJECT.fullmatch(path)
        if match is None:
            raise Answered(404, "the server could not find the requested resource")
        wanted = (match["group"] or "", match["version"], match["plural"])
        place = next((p for p in self.api.places if (p.group, p.version, p.plural) == wanted), None)
        known = place or Place(*wanted, kind="")
        target = Target(known, match["namespace"] or "", match["name"] or "", match["sub"] or "")
        # RBAC is asked first: who may nothing is not even told what there is.
        for verb in self._verbs(target, query):
            resource = f"{known.plural}/{target.sub}" if target.sub else known.plural
            question = Question(verb, known.group, resource, target.namespace, target.name)
            if not self.api.rules.allow(user, question):
                raise Answered(403, question.refusal(user))
        if place is None:
            raise Answered(404, "the server could not find the requested resource")
        return target

    def _verbs(self, target: Target, query: dict[str, str]) -> list[str]:
        if target.sub == "portforward":
            return ["get", "create"]  # from 1.35 on a WebSocket needs both
        if self.command == "GET" and not target.name:
            return ["watch" if query.get("watch") in ("1", "true") else "list"]
        return [VERBS[self.command]]

    def _object(self, target: Target, query: dict[str, str], body: bytes) -> None:
        if target.sub == "log":
            self._log(target, query)
        elif target.sub == "portforward":
            self._forward(target, int(query["ports"]))
        elif self.command == "POST":
            self._create(target, json.loads(body), dry_run="dryRun" in query)
        elif self.command == "PATCH":
            self._patch(target, json.loads(body), dry_run="dryRun" in query)
        elif target.name:
            self._json(200, self._existing(target))
        elif query.get("watch") in ("1", "true"):
            self._watch(target, query)
        else:
            self._list(target, query)

    def _existing(self, target: Target) -> Json:
        found = self.api.state.get(target.place, target.namespace, target.name)
        if found is None:
            raise Answered(404, f'{target.place.plural} "{target.name}" not found')
        return {"kind": target.place.kind, "apiVersion": target.place.group_version, **found}

    def _list(self, target: Target, query: dict[str, str]) -> None:
        items, version = self.api.state.all(target.place, target.namespace)
        matching = [item for item in items if selected(item, query)]
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "500"))
        page, rest = matching[start : start + limit], matching[start + limit :]
        metadata: Json = {"resourceVersion": str(version)} | (
            {"continue": str(start + limit)} if rest else {}
        )
        kind = {"kind": f"{target.place.kind}List", "apiVersion": target.place.group_version}
        # Items of a list do not say their kind.
        bare = [
            {key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in page
        ]
        self._json(200, {**kind, "metadata": metadata, "items": bare})

    def _create(self, target: Target, item: Json, *, dry_run: bool) -> None:
        name = item["metadata"]["name"]
        if self.api.state.get(target.place, target.namespace, name) is not None:
            raise Answered(409, f'{target.place.plural} "{name}" already exists')
        item["metadata"]["namespace"] = target.namespace
        self._json(201, item if dry_run else self.api.state.put(target.place, item))

    def _patch(self, target: Target, operations: list[Json], *, dry_run: bool) -> None:
        if self.headers.get("Content-Type") != "application/json-patch+json":
            raise Answered(415, "the body of the request was in an unknown format")
        try:
            changed = patched(self._existing(target), operations)
        except PatchFailed as error:
            raise Answered(
                422, f"the server rejected our request due to an error in our request: {error}"
            ) from None
        self._json(200, changed if dry_run else self.api.state.put(target.place, changed))

    def _watch(self, target: Target, query: dict[str, str]) -> None:
        since = int(query.get("resourceVersion") or 0)
        if since < self.api.state.oldest:
            raise Answered(410, gone(since, self.api.state.oldest)["message"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.api.streams[target.place.plural] += 1
        seconds = float(query.get("timeoutSeconds", "1800"))
        for event in self.api.state.follow(target.place, since, seconds, lambda: True):
            if event is None:
                self.close_connection = True  # without the last chunk: broken off
                return
            if event.type in ("ADDED", "MODIFIED", "DELETED") and not selected(event.object, query):
                continue
            if event.type == "BOOKMARK" and "allowWatchBookmarks" not in query:
                continue
            self._chunk(json.dumps({"type": event.type, "object": event.object}).encode() + b"\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _log(self, target: Target, query: dict[str, str]) -> None:
        key = (target.name, query.get("container", ""), query.get("previous") == "true")
        text = self.api.logs.get(key)
        if text is None:
            what = "previous terminated container" if key[2] else "container"
            raise Answered(400, f'{what} "{key[1]}" in pod "{key[0]}" not found')
        lines = text.splitlines(keepends=True)[-int(query.get("tailLines", "1000")) :]
        self._bytes(200, "".join(lines).encode(), "text/plain")

    def _forward(self, target: Target, port: int) -> None:
        self._existing(target)
        self.close_connection = True
        if handshake(self):
            bridge(self.connection, self.api.backends.get((target.name, port)), port)

    def _json(self, code: int, document: Json, headers: Any = ()) -> None:
        self._bytes(code, json.dumps(document).encode(), "application/json", dict(headers))

    def _bytes(self, code: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def selected(item: Json, query: dict[str, str]) -> bool:
    labels = item["metadata"].get("labels") or {}
    wanted = [pair.split("=", 1) for pair in query.get("labelSelector", "").split(",") if pair]
    fields = [pair.split("=", 1) for pair in query.get("fieldSelector", "").split(",") if pair]
    return all(labels.get(name) == value for name, value in wanted) and all(
        str(_field(item, name)) == value for name, value in fields
    )


def _field(item: Json, path: str) -> Any:
    found: Any = item
    for part in path.split("."):
        found = found.get(part, "")
    return found
