"""Overload over gRPC: what is refused at the door, with which status, when to come back, and that it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc import StatusCode

from serving.grpc import open_inference_grpc_pb2 as pb
from serving.overload.control import FAIR_SHARE, IN_FLIGHT, LIMIT
from tests.grpc_front import GrpcFront, Metadata, Refused
from tests.grpc_requests import flowers
from tests.prediction_records import figure


@pytest.fixture
def front(tmp_path: Path) -> Iterator[GrpcFront]:
    made = GrpcFront(tmp_path)
    yield made
    made.close()


def filled(front: GrpcFront, *, beyond: int = 0) -> Metadata:
    """As if so many predictions were being computed; the token of a caller who is known."""
    token = front.bearer()
    front.infer(flowers(), token)
    overload = front.worker.overload
    overload.in_progress = overload.limit + beyond
    return token


def counted(front: GrpcFront, name: str, **labels: str) -> float:
    front.worker.metrics.fold()
    return figure(front.registry, f"slipway_{name}_total", **labels)


def told_when_to_come_back(refused: Refused) -> int:
    assert refused.code is StatusCode.UNAVAILABLE
    assert (refused.problem["code"], refused.problem["status"]) == ("overloaded", 503)
    milliseconds = int(refused.trailing["grpc-retry-pushback-ms"])
    assert 500 <= milliseconds <= 20_000
    assert refused.trailing["retry-after-ms"] == str(milliseconds)
    return milliseconds


def test_beyond_the_limit_a_call_is_refused_told_when_to_come_back_and_counted(front: GrpcFront) -> None:
    refused = front.refused("ModelInfer", flowers(), [*filled(front), ("x-request-id", "mine")])
    told_when_to_come_back(refused)
    assert refused.trailing["x-request-id"] == "mine"
    assert counted(front, "shed", reason=LIMIT) == 1
    assert counted(front, "grpc_requests", method="ModelInfer", code="UNAVAILABLE") == 1


def test_calls_refused_together_do_not_come_back_together(front: GrpcFront) -> None:
    token = filled(front)
    assert len({told_when_to_come_back(front.refused("ModelInfer", flowers(), token)) for _ in range(10)}) > 5


def test_over_grpc_too_a_refusal_says_nothing_of_the_token_or_the_message(front: GrpcFront) -> None:
    """It comes before anybody is asked who he is, and before anything is parsed."""
    filled(front, beyond=1000)
    told_when_to_come_back(front.refused("ModelInfer", b"\xff", [("authorization", "Bearer x")]))


def test_probes_and_what_predicts_nothing_do_not_meet_the_limit(front: GrpcFront) -> None:
    token = filled(front, beyond=1000)
    assert front.call("ServerLive", pb.ServerLiveRequest(), []).live
    assert front.call("ModelMetadata", pb.ModelMetadataRequest(name="iris"), token).versions


def test_the_cap_of_everything_in_progress_holds_for_calls_but_not_for_probes(front: GrpcFront) -> None:
    token = front.bearer()
    front.worker.metrics.in_flight = front.settings.max_in_flight
    told_when_to_come_back(front.refused("ModelMetadata", pb.ModelMetadataRequest(name="iris"), token))
    assert counted(front, "shed", reason=IN_FLIGHT) == 1
    assert front.call("ServerLive", pb.ServerLiveRequest(), []).live
    front.worker.metrics.in_flight = 0


def test_callers_over_either_protocol_share_what_there_is(front: GrpcFront) -> None:
    large, small = filled(front), front.bearer(of="grace")
    front.infer(flowers(), small)
    overload = front.worker.overload
    overload.in_progress = 0
    for _ in range(10):
        front.infer(flowers(), large)
    front.infer(flowers(), small)
    overload.in_progress = overload.limit
    told_when_to_come_back(front.refused("ModelInfer", flowers(), large))
    assert counted(front, "shed", reason=FAIR_SHARE) == 1
    front.infer(flowers(), small)


def test_what_is_in_progress_goes_back_to_nothing_whatever_a_call_asks_for(front: GrpcFront) -> None:
    front.infer(flowers())
    front.infer(
        flowers(
            *[
                {"sepal_length": 1 + n / 50, "sepal_width": 3, "petal_length": 4, "petal_width": 1}
                for n in range(40)
            ]
        )
    )
    front.refused("ModelInfer", b"\xff")
    front.refused("ModelInfer", flowers(), [])
    assert front.worker.overload.in_progress == 0
    assert front.worker.metrics.in_flight == 0
