"""The Open Inference Protocol over gRPC, asked of a real server: what it answers, and that it is what HTTP answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from grpc import StatusCode

from serving.grpc import open_inference_grpc_pb2 as pb
from serving.oip.raw import read_raw
from tests.fakes.counted_turns import CountedTurns
from tests.front_service import DELIVERY, FLOWER
from tests.grpc_front import GrpcFront
from tests.grpc_requests import add_tensor, flowers, output


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcFront]:
    made = GrpcFront(tmp_path_factory.mktemp("grpc"), models="iris,food-delivery", max_instances=50)
    yield made
    made.close()


def deliveries(**changes: Any) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="food-delivery")
    for name, value in {**DELIVERY, **changes}.items():
        if isinstance(value, str):
            add_tensor(request, name, "BYTES", [value.encode()])
        elif isinstance(value, bool):
            add_tensor(request, name, "BOOL", [value])
        elif isinstance(value, int):
            add_tensor(request, name, "INT64", [value])
        elif value is not None:
            add_tensor(request, name, "FP64", [value])
    return request


def test_one_row_is_answered_as_http_answers_it(front: GrpcFront) -> None:
    by_http = front.predict(FLOWER).json()
    answer = front.infer(flowers(id="a-7"))
    assert (answer.model_name, answer.id) == ("iris", "a-7")
    assert answer.model_version == by_http["model_version"]
    assert output(answer, "prediction") == [by_http["prediction"].encode()]
    assert output(answer, "probabilities") == list(by_http["probabilities"].values())
    assert answer.parameters["cached"].bool_param


def test_texts_and_numbers_are_answered_as_http_answers_them(front: GrpcFront) -> None:
    by_http = front.predict(DELIVERY, "/predict/food-delivery").json()
    answer = front.infer(deliveries())
    assert output(answer, "prediction") == [by_http["prediction"]]


def test_the_prediction_is_in_the_log_under_the_id_that_was_answered(front: GrpcFront) -> None:
    row = {**FLOWER, "petal_length": 1.25}
    metadata = [*front.bearer(of="grace"), ("x-request-id", "order-7"), ("traceparent", TRACEPARENT)]
    answer = front.infer(flowers(row), metadata)
    (found,) = output(answer, "prediction_id")
    (record,) = [each for each in front.logged() if each.prediction_id == found.decode()]
    assert (record.request_id, record.subject, record.trace_id) == (
        "order-7",
        "grace",
        "0af7651916cd43dd8448eb211c80319c",
    )
    assert answer.parameters["prediction_id"].string_param == record.prediction_id


TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_what_comes_raw_is_answered_raw_and_is_the_same(front: GrpcFront) -> None:
    rows = [{**FLOWER, "petal_length": size / 10} for size in range(10, 40)]
    typed, raw = front.infer(flowers(*rows)), front.infer(flowers(*rows, raw=True))
    assert [each.name for each in raw.outputs] == [each.name for each in typed.outputs]
    assert not any(each.HasField("contents") for each in raw.outputs)
    shares = memoryview(raw.raw_output_contents[1]).cast("d").tolist()
    assert shares == output(typed, "probabilities")
    assert list(raw.outputs[1].shape) == [30, 3]


@pytest.mark.parametrize("raw", [False, True], ids=["typed", "raw"])
def test_many_rows_are_read_and_written_in_turns_and_are_the_same(front: GrpcFront, raw: bool) -> None:
    rows = [{**FLOWER, "petal_length": size / 10} for size in range(10, 60)]
    expected = [output(front.infer(flowers(row)), "prediction")[0] for row in rows]
    turns = front.worker.predictor.turns = CountedTurns()
    answer = front.infer(flowers(*rows, raw=raw, id="a large message " * 2000))
    assert turns.slices > 6
    if raw:
        assert read_raw("", "BYTES", (50,), answer.raw_output_contents[0]).data == expected
    else:
        assert output(answer, "prediction") == expected


def test_outputs_come_as_they_were_asked_for(front: GrpcFront) -> None:
    request = flowers()
    request.outputs.add(name="prediction_id")
    request.outputs.add(name="prediction")
    assert [each.name for each in front.infer(request).outputs] == ["prediction_id", "prediction"]
    request.outputs.add(name="made_up")
    refused = front.refused("ModelInfer", request)
    assert refused.code is StatusCode.INVALID_ARGUMENT
    assert refused.problem["errors"][0]["pointer"] == "/outputs/2/name"


def test_the_version_that_is_named_answers_or_nobody(front: GrpcFront) -> None:
    version = front.infer(flowers()).model_version
    assert front.infer(flowers(model_version=version)).model_version == version
    refused = front.refused("ModelInfer", flowers(model_version="999"))
    assert (refused.code, refused.problem["code"]) == (StatusCode.NOT_FOUND, "version-not-loaded")


def test_numbers_of_other_widths_are_taken_where_nothing_is_lost(front: GrpcFront) -> None:
    request = pb.ModelInferRequest(model_name="iris")
    for name in FLOWER:
        tensor = request.inputs.add(name=name, datatype="FP32", shape=[1, 1])
        tensor.contents.fp32_contents.append(1.5)
    expected = front.infer(flowers(dict.fromkeys(FLOWER, 1.5)))
    assert output(front.infer(request), "probabilities") == output(expected, "probabilities")


BAD: dict[str, tuple[Any, str]] = {
    "a missing tensor": (lambda r: r.inputs.pop(), "/inputs"),
    "a tensor of another name": (lambda r: setattr(r.inputs[0], "name", "made_up"), "/inputs/0/name"),
    "a datatype that is none": (lambda r: setattr(r.inputs[1], "datatype", "FP65"), "/inputs/1/datatype"),
    "a half, which has to be raw": (lambda r: setattr(r.inputs[1], "datatype", "FP16"), "/inputs/1/datatype"),
    "elements of another datatype": (
        lambda r: r.inputs[0].contents.int64_contents.append(1),
        "/inputs/0/contents",
    ),
    "a number that is none": (
        lambda r: r.inputs[0].contents.fp64_contents.__setitem__(0, math.inf),
        "/inputs/0/data/0",
    ),
    "more elements than the shape says": (
        lambda r: r.inputs[0].contents.fp64_contents.append(1),
        "/inputs/0/shape",
    ),
    "no rows": (lambda r: [each.ClearField("shape") for each in r.inputs], "/inputs/0/shape"),
    "too many rows": (lambda r: [each.shape.__setitem__(0, 51) for each in r.inputs], "/inputs/0/shape"),
    "raw and typed": (lambda r: r.raw_input_contents.extend([b"12345678"] * 4), "/inputs/0/contents"),
    "fewer raw contents than inputs": (
        lambda r: r.raw_input_contents.append(b"12345678"),
        "/raw_input_contents",
    ),
    "a tensor in shared memory": (
        lambda r: setattr(r.inputs[2].parameters["shared_memory_region"], "string_param", "a"),
        "/inputs/2/parameters/shared_memory_region",
    ),
    "outputs in shared memory": (
        lambda r: setattr(
            r.outputs.add(name="prediction").parameters["shared_memory_region"], "string_param", "a"
        ),
        "/outputs/0/parameters/shared_memory_region",
    ),
    "an output twice": (
        lambda r: [r.outputs.add(name="prediction") for _ in range(2)],
        "/outputs/1/name",
    ),
    "a sequence": (
        lambda r: setattr(r.parameters["sequence_id"], "int64_param", 7),
        "/parameters/sequence_id",
    ),
    "rows to be skipped": (
        lambda r: setattr(r.parameters["on_error"], "string_param", "skip"),
        "/parameters/on_error",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_by_a_pointer(front: GrpcFront, name: str) -> None:
    spoil, pointer = BAD[name]
    request, before = flowers(), len(front.logged())
    spoil(request)
    refused = front.refused("ModelInfer", request)
    assert refused.code is StatusCode.INVALID_ARGUMENT
    assert refused.problem["status"] == 400
    assert pointer in [each["pointer"] for each in refused.problem["errors"]]
    assert refused.problem["error"] == refused.message
    assert pointer in refused.message
    assert len(front.logged()) == before


def test_a_message_that_is_none_is_refused(front: GrpcFront) -> None:
    assert front.refused("ModelInfer", b"\xff\xff\xff").code is StatusCode.INVALID_ARGUMENT


def test_many_errors_are_shortened_to_what_metadata_can_hold(front: GrpcFront) -> None:
    request = flowers(*[dict.fromkeys(FLOWER, -1.0)] * 50)
    refused = front.refused("ModelInfer", request)
    assert refused.code is StatusCode.INVALID_ARGUMENT
    assert 0 < len(refused.problem["errors"]) < 100


def test_a_model_that_is_not_served_is_not_found(front: GrpcFront) -> None:
    for name in ("ModelInfer", "ModelMetadata", "ModelReady"):
        message = (
            pb.ModelInferRequest(model_name="tulips")
            if name == "ModelInfer"
            else pb.ModelReadyRequest(name="tulips")
        )
        refused = front.refused(name, message, front.bearer("predict read"))
        assert refused.code is StatusCode.NOT_FOUND, name
        assert refused.problem["code"] == "model-not-found"


def test_metadata_says_what_http_says(front: GrpcFront) -> None:
    header = front.token()
    server = front.call("ServerMetadata", pb.ServerMetadataRequest(), [])
    by_http = front.ask("GET", "/v2").json()
    assert (server.name, server.version) == (by_http["name"], by_http["version"])
    for name in ("iris", "food-delivery"):
        model = front.call("ModelMetadata", pb.ModelMetadataRequest(name=name))
        said = front.ask("GET", f"/v2/models/{name}", headers=header).json()
        assert (model.name, list(model.versions), model.platform) == (
            said["name"],
            said["versions"],
            said["platform"],
        )
        for part in ("inputs", "outputs"):
            tensors = [(each.name, each.datatype, list(each.shape)) for each in getattr(model, part)]
            assert tensors == [(each["name"], each["datatype"], each["shape"]) for each in said[part]]
    version = model.versions[0]
    one = front.call("ModelMetadata", pb.ModelMetadataRequest(name="food-delivery", version=version))
    assert list(one.versions) == [version]


def test_a_request_says_its_id_and_its_trace(front: GrpcFront) -> None:
    async def trailing(*metadata: tuple[str, str]) -> dict[str, Any]:
        call = front.method("ModelInfer")(flowers(), metadata=[*front.bearer(), *metadata])
        await call
        return dict(await call.trailing_metadata())

    own = front.run(trailing(("x-request-id", "a b")))
    assert len(own["x-request-id"]) == 26
    given = front.run(trailing(("x-request-id", "order-7"), ("traceparent", TRACEPARENT)))
    assert given["x-request-id"] == "order-7"
    assert given["traceparent"].startswith(TRACEPARENT[:36])
    assert given["traceparent"] != TRACEPARENT
