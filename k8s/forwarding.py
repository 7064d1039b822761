"""A pod's ports as endpoints that can be asked, whatever the NetworkPolicies say of others."""

from __future__ import annotations

import argparse
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from k8s.api.cluster import CALL_SECONDS, Cluster, Scope
from k8s.api.connect import connect
from k8s.api.kinds import PODS
from k8s.api.objects import Pod
from k8s.api.tunnel import TunnelConnection, open_tunnel
from k8s.errors import Missing, Unreachable
from k8s.smoke.endpoint import Answer, request_headers
from k8s.workload import service_labels

HTTP_PORT, METRICS_PORT, AGENT_PORT = ("http", 8000), ("metrics", 9100), ("agent-metrics", 9101)


class PodEndpoint:
    """One port of one pod. The connection stays open between questions, as a client's would."""

    def __init__(
        self, cluster: Cluster, pod: Pod, port: tuple[str, int], *, seconds: float = CALL_SECONDS
    ) -> None:
        self._cluster, self._pod, self._port = cluster, pod, pod.port(*port)
        self._seconds = seconds
        self._connection: TunnelConnection | None = None
        self.name = f"{pod.name}:{self._port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            with suppress(OSError, Unreachable):
                self._connection.close()
            self._connection = None

    def ask(
        self, method: str, path: str, *, token: str = "", body: Mapping[str, Any] | None = None
    ) -> Answer:
        headers = request_headers(token)
        payload = None
        if body is not None:
            payload = json.dumps(body, default=str).encode()
            headers["Content-Type"] = "application/json"
        began = time.perf_counter()
        try:
            connection = self._opened()
            connection.request(method, path, body=payload, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise Unreachable(f"{method} {self.name}{path}: {str(error) or type(error).__name__}") from error
        except Unreachable:
            self.close()
            raise
        found = {name.lower(): value for name, value in answer.getheaders()}
        if answer.will_close:
            self.close()
        return Answer(status=answer.status, headers=found, body=content, seconds=time.perf_counter() - began)

    def _opened(self) -> TunnelConnection:
        if self._connection is None:
            tunnel = open_tunnel(
                self._cluster.api,
                f"{PODS.path(self._cluster.namespace, self._pod.name)}/portforward?ports={self._port}",
                what=self.name,
                timeout_seconds=min(self._seconds, self._cluster.patience()),
            )
            self._connection = TunnelConnection(tunnel)
        return self._connection


@contextmanager
def any_ready_pod(options: argparse.Namespace, labels: str) -> Iterator[PodEndpoint]:
    """The API of a pod that takes requests; of one that does not yet, when there is no other."""
    cluster = connect(options)
    pods = service_pods(cluster, labels or service_labels(cluster))
    if not pods:
        raise Missing(f"no pod of the service in the namespace {cluster.namespace}", status=404)
    pod = next((pod for pod in pods if pod.is_ready), pods[0])
    with PodEndpoint(cluster, pod, HTTP_PORT) as endpoint:
        yield endpoint


def service_pods(cluster: Cluster, labels: str) -> tuple[Pod, ...]:
    """The pods that are there to stay, by name."""
    pods = cluster.list(PODS, Scope(labels=labels)).items
    return tuple(sorted((pod for pod in pods if not pod.is_leaving), key=lambda pod: pod.name))
