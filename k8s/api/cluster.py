"""The facade over the Kubernetes client: typed reads, the few writes, and errors that say what was asked.

The client brings authentication (kubeconfig, exec plugins, the pod's token), TLS and proxies; what it answers is read
here, because verbs look at kinds that the client has no classes for, and at few fields of those that it has.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from k8s.api.kinds import Kind
from k8s.api.objects import Object
from k8s.errors import Missing, Refused, Unreachable, refusal

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

T = TypeVar("T", bound=Object)
Query = Sequence[tuple[str, str]]

CALL_SECONDS = 10.0
PAGE = "500"
BUSY = (429, 503)
JSON_PATCH = "application/json-patch+json"


class ListMetadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """A list, with the version of the cluster's state that it shows."""

    items: tuple[T, ...]
    metadata: ListMetadata


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What of a kind is meant: one namespace (or all, when empty), and selectors."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""

    @property
    def query(self) -> list[tuple[str, str]]:
        pairs = (("labelSelector", self.labels), ("fieldSelector", self.fields))
        return [(name, value) for name, value in pairs if value]


class Cluster:
    """One API server, asked by one identity. `namespace` is the one that is meant where none is named.

    With `seconds` every question has to be answered in that time from now.
    """

    def __init__(self, api: ApiClient, *, namespace: str, seconds: float | None = None) -> None:
        self._api, self.namespace, self._seconds = api, namespace, seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    @property
    def api(self) -> ApiClient:
        return self._api

    def patience(self) -> float:
        """How long the next question may take. Raises Unreachable when the time is over."""
        left = CALL_SECONDS if self._deadline is None else self._deadline - time.monotonic()
        if left <= 0:
            raise Unreachable(f"not everything was answered within {self._seconds:g} s (--timeout)")
        return min(left, CALL_SECONDS)

    @property
    def address(self) -> str:
        return str(self._api.configuration.host)

    def get(self, kind: Kind[T], name: str, *, namespace: str = "") -> T:
        body = self.call("GET", kind.path(namespace or self.namespace, name))
        return _decoded(body, kind.shape)

    def find(self, kind: Kind[T], name: str, *, namespace: str = "") -> T | None:
        """None where there is none, or the cluster does not know the kind."""
        try:
            return self.get(kind, name, namespace=namespace)
        except Missing:
            return None

    def list(self, kind: Kind[T], scope: Scope | None = None) -> Listed[T]:
        """Everything of a kind, page by page. Raises Missing where the cluster does not know the kind."""
        scope = scope or Scope()
        path = kind.path(scope.namespace or self.namespace)
        items: tuple[T, ...] = ()
        token = ""
        while True:
            query = [*scope.query, ("limit", PAGE), *([("continue", token)] if token else [])]
            page = _decoded(self.call("GET", path, query=query), Listed[kind.shape])  # type: ignore[name-defined]
            items += page.items
            token = page.metadata.continue_
            if not token:
                return Listed(items, page.metadata)

    def find_all(self, kind: Kind[T], scope: Scope | None = None) -> tuple[T, ...]:
        """Nothing where the cluster does not know the kind."""
        try:
            return self.list(kind, scope).items
        except Missing:
            return ()

    def patch(self, kind: Kind[T], name: str, operations: Sequence[Mapping[str, Any]], *, dry_run: bool) -> T:
        """A JSON patch: all of it, or nothing."""
        query = [("dryRun", "All")] if dry_run else []
        path = kind.path(self.namespace, name)
        return _decoded(self.call("PATCH", path, query=query, body=list(operations)), kind.shape)

    def log(self, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """The last lines; empty where there is no log yet."""
        query = [
            ("container", container),
            ("tailLines", str(lines)),
            *([("previous", "true")] if previous else []),
        ]
        try:
            return self.call(
                "GET", f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log", query=query
            ).decode("utf-8", "replace")
        except Refused as error:
            if error.status in (400, 404):
                return ""
            raise

    def document(self, path: str) -> dict[str, Any]:
        """An object that is no object of ours: the version, or a page of the discovery."""
        return _decoded(self.call("GET", path), dict[str, Any])

    def may(self, verb: str, group: str, resource: str, *, namespaced: bool = True) -> bool:
        """Whether whoever asks here is allowed to do this (SelfSubjectAccessReview)."""
        attributes = {"verb": verb, "group": group, "resource": resource}
        if namespaced:
            attributes["namespace"] = self.namespace
        kind = "SelfSubjectAccessReview"
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": kind,
            "spec": {"resourceAttributes": attributes},
        }
        answer = self.call("POST", f"/apis/authorization.k8s.io/v1/{kind.lower()}s", body=body)
        return bool(_decoded(answer, dict[str, Any])["status"]["allowed"])

    def call(self, method: str, path: str, *, query: Query = (), body: Any = None) -> bytes:
        """One request, again where the server is busy and says when. Raises Refused and Unreachable."""
        deadline = time.monotonic() + self.patience()
        while True:
            try:
                return self._call_once(method, path, query=query, body=body)
            except Refused as error:
                wait = error.retry_after_seconds
                if error.status not in BUSY or wait is None or time.monotonic() + wait > deadline:
                    raise
                time.sleep(wait)

    def lines(self, path: str, *, query: Query, idle_seconds: float) -> Iterator[bytes]:
        """A streamed answer, line by line. Raises Unreachable when nothing comes for `idle_seconds`."""
        from urllib3.exceptions import HTTPError

        answer = self._send("GET", path, query=query, timeout=(self.patience(), idle_seconds))
        _raise_for(answer, f"GET {path}")
        rest = b""
        try:
            for chunk in answer.response.stream(amt=None, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line for line in whole if line.strip())
        except HTTPError as error:
            raise Unreachable(f"GET {path}: {type(error).__name__}") from error
        finally:
            answer.response.close()

    def _call_once(self, method: str, path: str, *, query: Query, body: Any) -> bytes:
        from urllib3.exceptions import HTTPError

        answer = self._send(method, path, query=query, body=body, timeout=self.patience())
        try:
            _raise_for(answer, f"{method} {path}")
            return bytes(answer.read())
        except HTTPError as error:
            raise Unreachable(f"{method} {path}: the answer broke off ({type(error).__name__})") from error

    def _send(self, method: str, path: str, *, query: Query, body: Any = None, timeout: Any) -> Any:
        """The client's own transport, with the credentials that it has."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = JSON_PATCH if method == "PATCH" else "application/json"
        try:
            request = self._api.param_serialize(
                method,
                path,
                query_params=list(query),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            return self._api.call_api(*request, _request_timeout=timeout)
        except HTTPError as error:
            raise Unreachable(f"{self.address} does not answer: {_why(error)}") from error
        except ApiException as error:
            raise Unreachable(f"{self.address}: {error.reason}") from error


def _why(error: Exception) -> str:
    """Without the names of the client's objects, which say nothing to a reader."""
    kinds = {
        "ReadTimeoutError": "no answer in time",
        "ConnectTimeoutError": "no connection in time",
        "NameResolutionError": "its name is not known",
        "ProtocolError": "it hung up",
    }
    name = type(error).__name__
    return kinds.get(name) or str(error).rpartition(": ")[2] or name


def _raise_for(answer: Any, what: str) -> None:
    if 200 <= answer.status < 300:
        return
    text = f"{what}: {answer.status}"
    try:
        text = f"{what}: {json.loads(answer.read())['message']}"
    except (ValueError, KeyError, TypeError):
        pass
    wait = str(answer.headers.get("Retry-After", ""))
    seconds = float(wait) if wait.isdigit() else None
    raise refusal(answer.status, text, retry_after_seconds=seconds)


D = TypeVar("D")


def _decoded(body: bytes, shape: type[D]) -> D:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the API server's answer cannot be read: {error}") from error
