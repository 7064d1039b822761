"""A client that others wrote, over gRPC against the served product; two workers share the port."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelkit.definition import load_catalog
from serving.grpc import open_inference_grpc_pb2 as pb
from tests.client_environments import run_suite
from tests.e2e.running_service import RunningService
from tests.e2e.tiny_service import tiny_service
from tests.e2e.waiting import until
from tests.grpc_front import free_port

MODELS = ("food-delivery", "housing", "iris")
LISTENS = "0A"
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningService, int]]:
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    with tiny_service(folder, MODELS, WORKERS="2", GRPC_PORT=str(port)) as service:
        yield service, port


def sockets(port: int) -> set[str]:
    """Those that listen, as a process's own files name them."""
    lines = [line.split() for path in TABLES for line in Path(path).read_text().splitlines()[1:]]
    return {
        f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{port:04X}") and line[3] == LISTENS
    }


def holds(pid: int, names: set[str]) -> bool:
    return any(os.readlink(path) in names for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink())


def test_every_worker_listens(service: tuple[RunningService, int]) -> None:
    served, port = service

    def listen() -> bool:
        return len(served.workers) == 2 and all(holds(pid, sockets(port)) for pid in served.workers)

    until(listen, seconds=20, what="both workers listen")


def test_the_client_of_triton_gets_what_the_native_route_answers(service: tuple[RunningService, int]) -> None:
    served, port = service
    catalog = load_catalog()
    rows = {
        name: [
            {field: value for field, value in example.items() if value is not None} for example in examples
        ]
        for name, examples in ((name, catalog[name].examples[:1]) for name in MODELS)
    }
    with served.client(served.token("predict")) as client:
        expected = {
            name: client.post(f"/predict/{name}", json={"instances": some}).json()["predictions"]
            for name, some in rows.items()
        }
    told = {
        "SLIPWAY_GRPC": f"127.0.0.1:{port}",
        "SLIPWAY_TOKEN": served.token("predict", "read"),
        "SLIPWAY_ROWS": json.dumps(rows),
        "SLIPWAY_EXPECTED": json.dumps(expected),
        "SLIPWAY_DESCRIPTOR": base64.b64encode(pb.DESCRIPTOR.serialized_pb).decode(),
    }
    assert "all passed" in run_suite("triton", script="grpc_suite.py", **told)


def test_calls_show_in_the_metrics_of_all_workers(service: tuple[RunningService, int]) -> None:
    served, _ = service
    with served.client() as client:
        text = client.get("/metrics").text
    assert 'slipway_grpc_requests_total{code="OK",method="ModelInfer"}' in text
