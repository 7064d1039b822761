"""The life of gRPC's port and calls: deadlines, callers who leave, shedding, draining, health, reflection, the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from serving.grpc import open_inference_grpc_pb2 as pb
from serving.grpc.surface import (
    CHECK,
    HEALTH,
    INFERENCE,
    LIST,
    REFLECT,
    REFLECT_ALPHA,
    REFLECTION_ALPHA,
    WATCH,
    Rpc,
)
from tests.architecture.source_tree import ROOT
from tests.front_service import FLOWER, FrontService
from tests.grpc_front import GrpcFront
from tests.grpc_requests import flowers

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


@pytest.fixture
def front(tmp_path: Path) -> Iterator[GrpcFront]:
    made = GrpcFront(tmp_path, max_in_flight=2, request_timeout_seconds=0.5)
    yield made
    made.close()


def silent(front: GrpcFront, **how: Any) -> Any:
    """A call whose message does not come."""
    method = front.channel.stream_unary(f"/{INFERENCE}/ModelInfer")
    return method(metadata=front.bearer(), **how)


def another(number: float) -> pb.ModelInferRequest:
    return flowers({**FLOWER, "petal_length": number})


def test_a_message_that_does_not_come_is_waited_for_until_the_deadline(front: GrpcFront) -> None:
    async def asked() -> aio.AioRpcError:
        with pytest.raises(aio.AioRpcError) as refused:
            await silent(front)
        return refused.value

    error = front.run(asked())
    assert error.code() is StatusCode.DEADLINE_EXCEEDED
    assert b'"request-timeout"' in dict(error.trailing_metadata())["slipway-problem-bin"]
    assert front.worker.metrics.in_flight == 0


def test_a_call_that_ends_without_a_message_is_refused(front: GrpcFront) -> None:
    async def asked() -> StatusCode:
        call = silent(front)
        await call.done_writing()
        return await call.code()

    assert front.run(asked()) is StatusCode.INVALID_ARGUMENT


def test_the_clients_deadline_counts_where_it_is_the_shorter_one(front: GrpcFront) -> None:
    async def asked(seconds: float) -> StatusCode:
        return await silent(front, timeout=seconds).code()

    assert front.run(asked(0.05)) is StatusCode.DEADLINE_EXCEEDED
    assert front.refused("ModelInfer", flowers(), timeout=0.0).code is StatusCode.DEADLINE_EXCEEDED
    front.infer(flowers(), timeout=30)
    assert len(front.logged()) == 1


def test_whoever_leaves_costs_the_others_nothing(front: GrpcFront) -> None:
    method = front.method("ModelInfer")

    async def asked() -> list[Any]:
        leaving = method(another(1.5), metadata=front.bearer())
        staying = method(another(1.5), metadata=front.bearer())
        await asyncio.sleep(0)
        leaving.cancel()
        answer = await staying
        while front.worker.metrics.in_flight:
            await asyncio.sleep(0.01)
        return [answer, await leaving.code()]

    answer, code = front.run(asked())
    assert answer.model_name == "iris"
    assert code is StatusCode.CANCELLED
    ids = [record.prediction_id for record in front.logged()]
    assert answer.parameters["prediction_id"].string_param in ids
    assert len(ids) == len(set(ids))


def test_what_is_too_much_is_shed_and_probes_are_not(front: GrpcFront) -> None:
    async def asked() -> tuple[aio.AioRpcError, Any, int]:
        front.worker.metrics.in_flight = 2
        response = await front.client.post("/predict/iris", json=FLOWER, headers=front.token())
        with pytest.raises(aio.AioRpcError) as refused:
            await front.method("ModelInfer")(flowers(), metadata=front.bearer())
        live = await front.method("ServerLive")(b"")
        front.worker.metrics.in_flight = 0
        return refused.value, live, response.status_code

    error, live, by_http = front.run(asked())
    assert (error.code(), by_http) == (StatusCode.UNAVAILABLE, 503)
    assert 100 <= int(dict(error.trailing_metadata())["grpc-retry-pushback-ms"]) <= 30_000  # by lot
    assert live.live


def test_whoever_sends_no_message_holds_nobody_s_place(front: GrpcFront) -> None:
    async def asked() -> tuple[Any, int]:
        holding = [silent(front) for _ in range(5)]  # 2 may be in flight
        while front.worker.metrics.overload.uploads < len(holding):
            await asyncio.sleep(0.01)
        answer = await front.method("ModelInfer")(flowers(), metadata=front.bearer())
        response = await front.client.post("/predict/iris", json=FLOWER, headers=front.token())
        for call in holding:
            call.cancel()
        return answer, response.status_code

    answer, by_http = front.run(asked())
    assert (answer.model_name, by_http) == ("iris", 200)


def test_a_fault_of_ours_is_told_without_its_reason(front: GrpcFront) -> None:
    front.worker.inference.routing = None  # type: ignore[assignment]
    refused = front.refused("ModelInfer", another(2.5))
    assert (refused.code, refused.message) == (StatusCode.INTERNAL, "Internal error")
    assert refused.problem["code"] == "internal-error"


def test_health_is_that_of_the_replica_and_of_each_model(front: GrpcFront) -> None:
    async def check(service: str) -> Any:
        return await front.method("Check", service=HEALTH)(HealthCheckRequest(service=service))

    async def statuses() -> dict[str, int]:
        listed = await front.method("List", service=HEALTH)(b"")
        return {name: each.status for name, each in listed.statuses.items()}

    names = ("", INFERENCE, "iris")
    assert [front.run(check(name)).status for name in names] == [SERVING] * 3
    assert front.run(statuses()) == dict.fromkeys(names, SERVING)
    with pytest.raises(aio.AioRpcError) as refused:
        front.run(check("tulips"))
    assert refused.value.code() is StatusCode.NOT_FOUND


def test_draining_is_seen_by_who_asks_and_who_watches_and_calls_go_on(front: GrpcFront) -> None:
    async def watched(service: str) -> list[int]:
        watch = front.channel.unary_stream(
            f"/{HEALTH}/Watch", response_deserializer=HealthCheckResponse.FromString
        )
        stream = watch(HealthCheckRequest(service=service).SerializeToString())
        seen = [(await stream.read()).status]
        front.settings.drain_file.touch()
        seen.append((await stream.read()).status)
        front.settings.drain_file.unlink()
        seen.append((await stream.read()).status)
        stream.cancel()
        return seen

    for service in ("", "iris"):
        assert front.run(watched(service)) == [SERVING, NOT_SERVING, SERVING]
    front.settings.drain_file.touch()
    front.worker.drain.look()
    assert not front.call("ServerReady", b"", []).ready
    assert not front.call("ModelReady", pb.ModelReadyRequest(name="iris"), []).ready
    front.infer(flowers())


def test_the_end_lets_calls_end_and_tells_who_watches(tmp_path: Path) -> None:
    front = GrpcFront(tmp_path, request_timeout_seconds=10)

    async def ended() -> tuple[list[int], StatusCode, StatusCode]:
        watch = front.channel.unary_stream(
            f"/{HEALTH}/Watch", response_deserializer=HealthCheckResponse.FromString
        )
        stream = watch(HealthCheckRequest(service="tulips").SerializeToString())
        seen = [(await stream.read()).status]
        overall = watch(b"")
        await overall.read()
        calling = silent(front)
        while not front.worker.metrics.overload.uploads:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(front.worker.runtime.stop())
        seen.append((await overall.read()).status)
        await calling.write(flowers().SerializeToString())
        await calling.done_writing()
        codes = await calling.code(), await overall.code()
        await closing
        return seen, *codes

    seen, called, watching = front.run(ended())
    assert (seen, called, watching) == ([UNKNOWN, NOT_SERVING], StatusCode.OK, StatusCode.OK)
    assert len(front.logged()) == 1
    front.run(front.channel.close())
    front.runner.run(front.client.aclose())
    front.runner.close()


@pytest.mark.parametrize("rpc", [REFLECT, REFLECT_ALPHA], ids=["v1", "v1alpha"])
def test_reflection_tells_anybody_what_is_spoken_here(front: GrpcFront, rpc: Rpc) -> None:
    async def told(**request: str) -> ServerReflectionResponse:
        method = front.channel.stream_stream(
            rpc.path,
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        call = method()
        await call.write(ServerReflectionRequest(**request))
        await call.done_writing()
        return await call.read()

    services = front.run(told(list_services="")).list_services_response.service
    assert {each.name for each in services} == {INFERENCE, HEALTH, REFLECTION_ALPHA}
    found = front.run(told(file_containing_symbol=INFERENCE)).file_descriptor_response
    assert list(found.file_descriptor_proto) == [pb.DESCRIPTOR.serialized_pb]


def test_health_is_the_published_service() -> None:
    methods = health_pb2.DESCRIPTOR.services_by_name["Health"].methods
    assert {rpc.name for rpc in (CHECK, LIST, WATCH)} == {each.name for each in methods}


def test_calls_are_counted_by_method_and_code(front: GrpcFront) -> None:
    front.infer(flowers())
    front.refused("ModelInfer", flowers(), [])
    front.worker.metrics.fold()
    name, labels = "slipway_grpc_requests_total", {"method": "ModelInfer"}
    assert front.registry.get_sample_value(name, {**labels, "code": "OK"}) == 1
    assert front.registry.get_sample_value(name, {**labels, "code": "UNAUTHENTICATED"}) == 1
    assert front.registry.get_sample_value("slipway_grpc_request_duration_seconds_count", labels) == 2


def test_calls_are_among_the_requests_that_objectives_canaries_and_autoscaling_look_at(
    front: GrpcFront,
) -> None:
    front.infer(flowers())
    front.refused("ModelInfer", flowers(), [])
    front.worker.metrics.fold()
    name, route = "slipway_http_requests_total", {"route": f"/{INFERENCE}/ModelInfer", "method": "GRPC"}
    for code in ("200", "401"):
        assert front.registry.get_sample_value(name, {**route, "code": code}) == 1
    duration = "slipway_http_request_duration_seconds_count"
    assert front.registry.get_sample_value(duration, route) == 2


def test_a_port_that_is_taken_keeps_the_replica_unready(front: GrpcFront, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()

    async def waited() -> dict[str, str]:
        await asyncio.sleep(0.3)
        return other.worker.readiness.reasons()

    other = FrontService(second, models="iris", grpc_port=front.settings.grpc_port)
    assert other.runner.run(waited()) == {"grpc": "the gRPC port is not open yet"}
    assert other.ask("GET", "/readyz").status_code == 503
    other.close()


def test_where_the_port_is_off_nothing_of_grpc_is_imported() -> None:
    code = """
import sys, serving.bootstrap, serving.grpc.port, serving.grpc.parts
print(sorted(name for name in ("grpc", "grpc_health", "serving.grpc.server") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
