"""What the fake API server remembers: objects with resource versions, and the history that watches are told."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
TICK_SECONDS = 0.02


@dataclass(frozen=True)
class Place:
    """Where a kind lives: its plural and group are what RBAC and paths speak of."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


PLACES = (
    Place("", "v1", "pods", "Pod"),
    Place("", "v1", "events", "Event"),
    Place("", "v1", "services", "Service"),
    Place("", "v1", "serviceaccounts", "ServiceAccount"),
    Place("", "v1", "configmaps", "ConfigMap"),
    Place("", "v1", "secrets", "Secret"),
    Place("", "v1", "resourcequotas", "ResourceQuota"),
    Place("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Place("", "v1", "namespaces", "Namespace", namespaced=False),
    Place("", "v1", "nodes", "Node", namespaced=False),
    Place("apps", "v1", "deployments", "Deployment"),
    Place("apps", "v1", "replicasets", "ReplicaSet"),
    Place("apps", "v1", "statefulsets", "StatefulSet"),
    Place("batch", "v1", "jobs", "Job"),
    Place("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Place("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Place("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Place("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False),
    Place("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Place("monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor"),
    Place("argoproj.io", "v1alpha1", "rollouts", "Rollout"),
    Place("argoproj.io", "v1alpha1", "applications", "Application"),
    Place("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService"),
    Place("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False),
)


@dataclass(frozen=True)
class Happening:
    version: int
    place: Place
    type: str
    object: Json


class State:
    """Thread-safe; `changed` wakes the watches."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 100
        self.oldest = 0
        self.stopping = False
        self._objects: dict[tuple[Place, str, str], Json] = {}
        self._history: list[Happening] = []
        self.drops = 0

    def put(self, place: Place, item: Json, *, spec_changed: bool = True) -> Json:
        """Creates or replaces; the generation counts changes of what is wanted."""
        with self.changed:
            stored = copy.deepcopy(item)
            metadata = stored.setdefault("metadata", {})
            key = self._key(place, metadata)
            before = self._objects.get(key)
            self.version += 1
            metadata["resourceVersion"] = str(self.version)
            metadata.setdefault("uid", f"uid-{place.plural}-{metadata['name']}")
            metadata.setdefault("generation", 1)
            if before is not None and spec_changed and before.get("spec") != stored.get("spec"):
                metadata["generation"] = before["metadata"]["generation"] + 1
            self._objects[key] = stored
            self._tell(place, "ADDED" if before is None else "MODIFIED", stored)
            return copy.deepcopy(stored)

    def remove(self, place: Place, namespace: str, name: str) -> None:
        with self.changed:
            gone = self._objects.pop((place, namespace if place.namespaced else "", name))
            self.version += 1
            gone["metadata"]["resourceVersion"] = str(self.version)
            self._tell(place, "DELETED", gone)

    def get(self, place: Place, namespace: str, name: str) -> Json | None:
        with self.changed:
            found = self._objects.get((place, namespace if place.namespaced else "", name))
            return copy.deepcopy(found)

    def all(self, place: Place, namespace: str) -> tuple[list[Json], int]:
        """An empty namespace means every one."""
        with self.changed:
            items = [
                copy.deepcopy(item)
                for (kept, where, _), item in sorted(self._objects.items(), key=lambda pair: pair[0][1:])
                if kept == place and (not place.namespaced or not namespace or where == namespace)
            ]
            return items, self.version

    def forget_history(self) -> None:
        """As etcd's compaction does: watches from before are told 410."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self._history.clear()
            self.changed.notify_all()

    def drop_watches(self) -> None:
        """Breaks every open watch off, without a last word."""
        with self.changed:
            self.drops += 1
            self.changed.notify_all()

    def bookmark(self, place: Place) -> None:
        with self.changed:
            self.version += 1
            kind = {"kind": place.kind, "apiVersion": place.group_version}
            marker = {**kind, "metadata": {"resourceVersion": str(self.version)}}
            self._history.append(Happening(self.version, place, "BOOKMARK", marker))
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.stopping = True
            self.changed.notify_all()

    def follow(
        self, place: Place, since: int, seconds: float, alive: Callable[[], bool]
    ) -> Iterator[Happening | None]:
        """What happens after `since`; None when the watch is broken off."""
        deadline, drops = time.monotonic() + seconds, self.drops
        while True:
            with self.changed:
                new = [event for event in self._history if event.version > since and event.place == place]
                if not new:
                    self.changed.wait(TICK_SECONDS)
            for event in new:
                since = event.version
                yield event
            if self.drops != drops or self.stopping:
                yield None
                return
            if since < self.oldest and not new:
                yield Happening(self.version, place, "ERROR", gone(since, self.oldest))
                return
            if time.monotonic() > deadline or not alive():
                return

    def _key(self, place: Place, metadata: Json) -> tuple[Place, str, str]:
        return place, metadata.get("namespace", "") if place.namespaced else "", metadata["name"]

    def _tell(self, place: Place, type: str, item: Json) -> None:
        self._history.append(Happening(self.version, place, type, copy.deepcopy(item)))
        self.changed.notify_all()


def status(code: int, reason: str, message: str, **more: Any) -> Json:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
        **more,
    }


def gone(asked: int, oldest: int) -> Json:
    return status(410, "Expired", f"too old resource version: {asked} ({oldest})")
