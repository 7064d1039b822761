"""Who is let in over gRPC, how often, and what he is told otherwise: the same gate, limits and trail as over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode, aio

from modelkit.errors import SlipwayError
from serving.grpc import open_inference_grpc_pb2 as pb
from serving.grpc.status import CODES, MAX_PROBLEM_BYTES, refusal_of
from serving.grpc.surface import RPCS
from serving.http.problems import problem_types
from tests.front_service import FLOWER
from tests.grpc_front import GrpcFront, Metadata
from tests.grpc_requests import flowers

OPEN = {
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "Check",
    "List",
    "Watch",
    "ServerReflectionInfo",
}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcFront]:
    made = GrpcFront(tmp_path_factory.mktemp("grpc"), trusted_proxies="127.0.0.1", max_body_bytes=4096)
    yield made
    made.close()


def test_what_is_open_is_listed_and_nothing_else_is_open(front: GrpcFront) -> None:
    assert {rpc.name for rpc in RPCS.values() if rpc.open} == OPEN
    for path, rpc in RPCS.items():
        if not rpc.open:
            assert front.refused(rpc.name, b"", []).code is StatusCode.UNAUTHENTICATED, path


@pytest.mark.parametrize("name", ["ModelInfer", "ModelMetadata"])
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic YTpi", "{} x", "bearer{}", "Bearer {}.", "Token {}"]
)
def test_without_a_valid_token_nobody_is_let_in(front: GrpcFront, name: str, authorization: str) -> None:
    token = str(front.bearer()[0][1]).removeprefix("Bearer ")
    refused = front.refused(name, b"", [("authorization", authorization.format(token))])
    assert refused.code is StatusCode.UNAUTHENTICATED
    assert refused.trailing["www-authenticate"].startswith('Bearer realm="slipway"')
    assert refused.problem["status"] == 401


def test_which_versions_are_loaded_is_told_to_whom_metadata_is_told(front: GrpcFront) -> None:
    assert front.call("ModelReady", pb.ModelReadyRequest(name="iris"), []).ready
    (version,) = front.call("ModelMetadata", pb.ModelMetadataRequest(name="iris")).versions
    for asked in (version, "999"):
        message = pb.ModelReadyRequest(name="iris", version=asked)
        assert front.refused("ModelReady", message, []).code is StatusCode.UNAUTHENTICATED
        assert front.refused("ModelReady", message, front.bearer("predict")).problem["status"] == 403
    assert front.call("ModelReady", pb.ModelReadyRequest(name="iris", version=version)).ready
    assert front.refused("ModelReady", message).code is StatusCode.NOT_FOUND


def test_two_tokens_are_none(front: GrpcFront) -> None:
    assert front.refused("ModelInfer", flowers(), front.bearer() * 2).code is StatusCode.UNAUTHENTICATED


def test_a_token_counts_only_in_its_metadata(front: GrpcFront) -> None:
    (_, token) = front.bearer()[0]
    for name in ("token", "access_token", "x-authorization", "authorization-bin", "cookie"):
        value = str(token).encode() if name.endswith("-bin") else token
        assert front.refused("ModelInfer", flowers(), [(name, value)]).code is StatusCode.UNAUTHENTICATED


def test_an_expired_token_is_told_so(front: GrpcFront) -> None:
    refused = front.refused("ModelInfer", flowers(), front.bearer(lives=-60))
    assert (refused.code, refused.problem["code"]) == (StatusCode.UNAUTHENTICATED, "token-expired")


@pytest.mark.parametrize(
    ("scopes", "method", "code"),
    [
        ("predict", "ModelInfer", None),
        ("predict:iris", "ModelInfer", None),
        ("predict:basket", "ModelInfer", StatusCode.PERMISSION_DENIED),
        ("read feedback admin", "ModelInfer", StatusCode.PERMISSION_DENIED),
        ("read", "ModelMetadata", None),
        ("predict", "ModelMetadata", StatusCode.PERMISSION_DENIED),
    ],
)
def test_what_a_token_does_not_allow_is_denied(
    front: GrpcFront, scopes: str, method: str, code: StatusCode | None
) -> None:
    message = flowers() if method == "ModelInfer" else pb.ModelMetadataRequest(name="iris")
    if code is None:
        front.call(method, message, front.bearer(scopes))
        return
    refused = front.refused(method, message, front.bearer(scopes))
    assert refused.code is code
    assert 'error="insufficient_scope"' in refused.trailing["www-authenticate"]


def test_a_method_that_does_not_exist_is_only_told_to_whom_is_let_in(front: GrpcFront) -> None:
    async def ask(service: str, name: str, metadata: Metadata) -> Any:
        return await front.method(name, pb.ServerLiveResponse, service=service)(b"", metadata=metadata)

    for service, name in (("inference.GRPCInferenceService", "RepositoryIndex"), ("admin.Admin", "Do")):
        for metadata, code in (([], StatusCode.UNAUTHENTICATED), (front.bearer(), StatusCode.UNIMPLEMENTED)):
            with pytest.raises(aio.AioRpcError) as refused:
                front.run(ask(service, name, metadata))
            assert refused.value.code() is code


def test_a_refusal_leaves_an_event(front: GrpcFront) -> None:
    front.trail.events.clear()
    metadata: Metadata = [("x-request-id", "order-9"), ("x-forwarded-for", "192.0.2.7")]
    front.refused("ModelInfer", flowers(), metadata)
    front.refused("ModelInfer", flowers(), [*front.bearer("read", of="eve"), *metadata])
    unknown, known = front.trail.of("request.refused")
    shared = {
        "route": "/inference.GRPCInferenceService/ModelInfer",
        "method": "GRPC",
        "request_id": "order-9",
    }
    assert shared.items() | {"address": "192.0.2.7", "status": 401, "subject": ""}.items() <= unknown.items()
    assert (
        shared.items() | {"status": 403, "subject": "eve", "code": "insufficient-scope"}.items()
        <= known.items()
    )


def test_a_message_that_is_too_large_is_refused(front: GrpcFront) -> None:
    request = flowers(*[FLOWER] * 150)
    assert 4096 < len(request.SerializeToString()) < 8192
    metadata: Metadata = [*front.bearer(), ("x-request-id", "order-11")]
    refused = front.refused("ModelInfer", request, metadata)
    assert (refused.code, refused.problem["code"]) == (StatusCode.RESOURCE_EXHAUSTED, "payload-too-large")
    assert refused.trailing["x-request-id"] == "order-11"


def test_a_message_that_is_far_too_large_is_refused_and_is_no_call_without_a_message(
    front: GrpcFront,
) -> None:
    request = flowers(*[FLOWER] * 300)
    assert len(request.SerializeToString()) > 8192
    assert front.refused("ModelInfer", request).code is StatusCode.RESOURCE_EXHAUSTED
    front.infer(flowers())
    front.worker.metrics.fold()
    labels = {"method": "ModelInfer", "code": "INVALID_ARGUMENT"}
    assert front.registry.get_sample_value("slipway_grpc_requests_total", labels) is None


def test_messages_that_are_compressed_are_refused(front: GrpcFront) -> None:
    import grpc

    refused = front.refused("ModelInfer", flowers(*[FLOWER] * 30), compression=grpc.Compression.Gzip)
    assert refused.code is StatusCode.UNIMPLEMENTED
    front.infer(flowers())


def test_callers_have_one_limit_for_both_protocols(tmp_path: Path) -> None:
    front = GrpcFront(tmp_path, rate_limit_per_second=0.01, rate_limit_burst=5)

    async def trailing() -> dict[str, Any]:
        call = front.method("ModelInfer")(flowers(*[FLOWER] * 3), metadata=front.bearer())
        await call
        return dict(await call.trailing_metadata())

    assert front.run(trailing())["ratelimit-remaining"] == "2"
    assert front.predict(FLOWER).headers["ratelimit-remaining"] == "1"
    front.infer(flowers())
    refused = front.refused("ModelInfer", flowers())
    front.close()
    assert (refused.code, refused.problem["code"]) == (StatusCode.RESOURCE_EXHAUSTED, "rate-limited")
    assert refused.trailing["grpc-retry-pushback-ms"] == f"{refused.trailing['retry-after']}000"
    assert refused.trailing["ratelimit-remaining"] == "0"


@pytest.mark.parametrize("kind", problem_types().values(), ids=lambda kind: kind.code)
def test_every_error_has_a_status(kind: type[SlipwayError]) -> None:
    refusal = refusal_of(kind(), request_id="order-7")
    assert refusal.code is CODES[kind.status]
    assert refusal.code is not StatusCode.OK
    assert len(dict(refusal.trailing)["slipway-problem-bin"]) < MAX_PROBLEM_BYTES
