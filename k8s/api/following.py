"""A list and then everything that happens to it: a watch that survives expiry, broken connections and a busy server."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from k8s.api.cluster import Cluster, Scope
from k8s.api.kinds import Kind
from k8s.api.objects import Object
from k8s.errors import ClusterError, Expired, Forbidden, Missing, Refused, Unauthorized, Unreachable, refusal

T = TypeVar("T", bound=Object)

# A connection that died in silence is noticed this late: no watch is asked to last longer.
WATCH_SECONDS = 60
GRACE_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
FOR_GOOD = (Unauthorized, Forbidden, Missing)


@dataclass(frozen=True)
class Snapshot(Generic[T]):
    """All there is; what was known before is not true any more."""

    items: tuple[T, ...]


@dataclass(frozen=True)
class Change(Generic[T]):
    """One object as it is now; `gone` when it was deleted."""

    item: T
    gone: bool


class WatchLine(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class Follower(Generic[T]):
    """Iterating never ends by itself before `stop` is set. Raises what does not pass: no permission, no such kind."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind[T],
        scope: Scope,
        *,
        stop: threading.Event,
        watch_seconds: int = WATCH_SECONDS,
    ) -> None:
        self._cluster, self._kind, self._scope = cluster, kind, scope
        self._stop, self._watch_seconds = stop, watch_seconds
        self._pause = FIRST_PAUSE_SECONDS

    def __iter__(self) -> Iterator[Snapshot[T] | Change[T]]:
        while not self._stop.is_set():
            try:
                listed = self._cluster.list(self._kind, self._scope)
            except (Unreachable, Refused) as error:
                self._wait_after(error)
                continue
            yield Snapshot(listed.items)
            yield from self._changes(listed.metadata.resource_version)

    def _changes(self, version: str) -> Iterator[Change[T]]:
        """From this version on, over as many watches as it takes; returns when the server has forgotten the version."""
        while not self._stop.is_set():
            try:
                for line in self._watch(version):
                    marker = msgspec.json.decode(line.object, type=Object)
                    version = marker.metadata.resource_version
                    self._pause = FIRST_PAUSE_SECONDS
                    if line.type != "BOOKMARK":
                        item = msgspec.json.decode(line.object, type=self._kind.shape)
                        yield Change(item, line.type == "DELETED")
            except Expired:
                return
            except (Unreachable, Refused) as error:
                self._wait_after(error)

    def _watch(self, version: str) -> Iterator[WatchLine]:
        query = [
            *self._scope.query,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(self._watch_seconds)),
        ]
        path = self._kind.path(self._scope.namespace or self._cluster.namespace)
        idle = self._watch_seconds + GRACE_SECONDS
        began = time.monotonic()
        for raw in self._cluster.lines(path, query=query, idle_seconds=idle):
            if self._stop.is_set():
                return
            line = _line(raw)
            if line.type == "ERROR":
                told = msgspec.json.decode(line.object, type=dict[str, Any])
                raise refusal(int(told.get("code", 500)), f"watch {path}: {told.get('message')}")
            yield line
        if time.monotonic() - began < FIRST_PAUSE_SECONDS:
            self._stop.wait(
                FIRST_PAUSE_SECONDS
            )  # a server that ends every watch at once is not asked in a tight loop

    def _wait_after(self, error: ClusterError) -> None:
        if isinstance(error, FOR_GOOD):
            raise error
        asked_for = error.retry_after_seconds if isinstance(error, Refused) else None
        self._stop.wait(min(asked_for or self._pause, LONGEST_PAUSE_SECONDS))
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)


def _line(raw: bytes) -> WatchLine:
    try:
        return msgspec.json.decode(raw, type=WatchLine)
    except msgspec.DecodeError as error:
        raise Unreachable(f"a watch broke off in the middle of a line ({error})") from error


News = tuple[str, Snapshot[Any] | Change[Any]]


class Following:
    """Several followers at once, each in a thread, into one queue. Use it as a context manager."""

    def __init__(self, cluster: Cluster, *, watch_seconds: int = WATCH_SECONDS) -> None:
        self._cluster, self._watch_seconds = cluster, watch_seconds
        self._told: queue.Queue[News | ClusterError] = queue.Queue()
        self._stop = threading.Event()

    def __enter__(self) -> Following:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()

    def follow(self, name: str, kind: Kind[Any], scope: Scope) -> None:
        follower = Follower(self._cluster, kind, scope, stop=self._stop, watch_seconds=self._watch_seconds)
        threading.Thread(target=self._run, args=(name, follower), daemon=True).start()

    def next(self, seconds: float) -> News | None:
        """What was told next; None when nothing was in time. Raises what a follower could not go on after."""
        try:
            told = self._told.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if isinstance(told, ClusterError):
            raise told
        return told

    def _run(self, name: str, follower: Follower[Any]) -> None:
        try:
            for told in follower:
                self._told.put((name, told))
        except ClusterError as error:
            self._told.put(error)
