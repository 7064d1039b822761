"""The Open Inference Protocol as the front app serves it: the native route's answers, in its shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from serving.oip.raw import read_raw, write_raw
from serving.oip.tensors import Tensor
from tests.front_service import CATALOG, FLOWER, FrontService
from tests.oip_tensors import json_inputs, tensors_of

INFER = "/v2/models/{}/infer"
IRIS = INFER.format("iris")
OCTETS = "application/octet-stream"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    service = FrontService(tmp_path_factory.mktemp("oip"))
    yield service
    service.close()


def examples(name: str) -> list[dict[str, Any]]:
    return [dict(example) for example in CATALOG[name].examples]


def request_of(name: str, rows: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"inputs": json_inputs(CATALOG[name], rows), **more}


def binary_request(name: str, rows: Sequence[dict[str, Any]], **more: Any) -> tuple[bytes, dict[str, str]]:
    """A body whose tensors are bytes, and its headers; every field has to be in every row."""
    inputs, blobs = [], []
    for tensor in tensors_of(CATALOG[name], rows):
        blobs.append(write_raw(tensor))
        about = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        inputs.append({**about, "parameters": {"binary_data_size": len(blobs[-1])}})
    head = json.dumps({"inputs": inputs, **more}).encode()
    return head + b"".join(blobs), {
        "content-type": OCTETS,
        "inference-header-content-length": str(len(head)),
    }


def outputs(answer: httpx.Response) -> dict[str, Tensor]:
    """By name, whether they came as JSON or as bytes."""
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    head, rest, found = json.loads(answer.content[:length]), answer.content[length:], {}
    for place, each in enumerate(head["outputs"]):
        size = each.get("parameters", {}).get("binary_data_size")
        name, datatype, shape = each["name"], each["datatype"], tuple(each["shape"])
        if size is None:
            found[name] = Tensor(name, datatype, shape, each["data"])
        else:
            found[name] = read_raw(name, datatype, shape, rest[:size], place=place)
            rest = rest[size:]
    assert rest == b""
    return found


def values(tensor: Tensor) -> list[Any]:
    plain = tensor.data.tolist() if hasattr(tensor.data, "tolist") else tensor.data
    return [each.decode() if isinstance(each, bytes) else each for each in plain]


def pointers(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    first = told["errors"][0]
    assert told["error"].startswith(f"{told['detail']}: {first['pointer']}: {first['detail']}")
    return {error["pointer"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_answers_are_the_native_ones_bit_for_bit(service: FrontService, name: str) -> None:
    fields = set.intersection(
        *({key for key, value in row.items() if value is not None} for row in examples(name))
    )
    rows = [{key: row[key] for key in row if key in fields} for row in examples(name)]
    native = service.predict({"instances": rows}, f"/predict/{name}").json()["predictions"]
    in_json = service.predict(request_of(name, rows), INFER.format(name))
    body, headers = binary_request(name, rows, parameters={"binary_data_output": True})
    in_bytes = service.predict(body, INFER.format(name), **headers)
    assert in_bytes.headers["content-type"] == OCTETS
    for answer in (in_json, in_bytes):
        found = outputs(answer)
        assert values(found["prediction"]) == [row["prediction"] for row in native]
        assert len(set(values(found["prediction_id"]))) == len(rows)
        if CATALOG[name].classes:
            shares = [share for row in native for share in row["probabilities"].values()]
            assert values(found["probabilities"]) == shares


def test_an_answer_says_which_version_gave_it_and_what_it_is_called(service: FrontService) -> None:
    answer = service.predict(request_of("iris", [FLOWER], id="41"), IRIS)
    body, (version,) = (
        answer.json(),
        service.ask("GET", "/v2/models/iris", headers=service.token()).json()["versions"],
    )
    assert (body["id"], body["model_name"], body["model_version"]) == ("41", "iris", version)
    assert body["parameters"]["prediction_id"] == answer.headers["x-prediction-id"]
    assert answer.headers["x-model-version"] == version
    assert body["parameters"]["prediction_id"] in {record.prediction_id for record in service.logged()}


def test_only_outputs_that_were_asked_for_are_answered_in_that_order(service: FrontService) -> None:
    wanted = [{"name": "prediction_id"}, {"name": "prediction", "parameters": {"binary_data": True}}]
    answer = service.predict(request_of("iris", [FLOWER], outputs=wanted), IRIS)
    assert list(outputs(answer)) == ["prediction_id", "prediction"]
    assert pointers(service.predict(request_of("iris", [FLOWER], outputs=[{"name": "x"}]), IRIS)) == {
        "/outputs/0/name"
    }


def test_a_version_that_is_named_answers_or_is_not_loaded(service: FrontService) -> None:
    (version,) = service.ask("GET", "/v2/models/iris", headers=service.token()).json()["versions"]
    body = request_of("iris", [FLOWER])
    assert (
        service.predict(body, f"/v2/models/iris/versions/{version}/infer").json()["model_version"] == version
    )
    refused = service.predict(body, "/v2/models/iris/versions/99/infer")
    assert (refused.status_code, refused.json()["code"]) == (404, "version-not-loaded")
    for path in (f"/v2/models/iris/versions/{version}", f"/v2/models/iris/versions/{version}/ready"):
        assert service.ask("GET", path, headers=service.token()).status_code == 200
        assert service.ask("GET", path).status_code == 401


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown tensor": ({"name": "girth"}, "/inputs/0/name"),
    "a datatype that is none": ({"datatype": "FP128"}, "/inputs/0/datatype"),
    "a datatype that is another's": ({"datatype": "BYTES", "data": ["1", "2"]}, "/inputs/0/datatype"),
    "a shape with too many sizes": ({"shape": [2, 2]}, "/inputs/0/shape"),
    "a negative shape": ({"shape": [-1]}, "/inputs/0/shape"),
    "no shape": ({"shape": []}, "/inputs/0/shape"),
    "too little data": ({"data": [1.0]}, "/inputs/0/data"),
    "data that is no list": ({"data": "1, 2"}, "/inputs/0/data"),
    "data that is no number": ({"data": [1.0, "2"]}, "/inputs/0/data/1"),
    "a number that is none of INT64": ({"datatype": "INT64", "data": [1, 2**63]}, "/inputs/0/data/1"),
    "a number that is none of FP32": ({"datatype": "FP32", "data": [1.0, 1e300]}, "/inputs/0/data/1"),
    "a fraction among integers": ({"datatype": "INT64", "data": [1, 1.5]}, "/inputs/0/data/1"),
    "a value out of bounds": ({"data": [1.0, -1.0]}, "/inputs/0/data/1"),
    "nothing where a value is needed": ({"data": [1.0, None]}, "/inputs/0/data/1"),
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_what_is_wrong_with_a_tensor_is_told_by_its_place(service: FrontService, kind: str) -> None:
    change, pointer = BAD[kind]
    body = request_of("iris", [FLOWER, FLOWER])
    body["inputs"][0] |= change
    assert pointer in pointers(service.predict(body, IRIS))


def test_a_row_that_is_wrong_is_told_by_row(service: FrontService) -> None:
    body = request_of("iris", [FLOWER, FLOWER, FLOWER])
    body["inputs"][2]["data"][1] = 31.0
    body["inputs"][3]["data"][2] = 0.0
    errors = service.predict(body, IRIS).json()["errors"]
    assert {(error["pointer"], error["row"]) for error in errors} == {
        ("/inputs/2/data/1", 1),
        ("/inputs/3/data/2", 2),
    }


@pytest.mark.parametrize("tensors", [[], None, "x", [{"name": "x"}]], ids=["none", "null", "text", "half"])
def test_what_is_no_request_is_refused(service: FrontService, tensors: Any) -> None:
    assert all(each.startswith("/inputs") for each in pointers(service.predict({"inputs": tensors}, IRIS)))


def test_a_missing_tensor_and_one_that_is_there_twice_are_refused(service: FrontService) -> None:
    body = request_of("iris", [FLOWER])
    body["inputs"][1] = body["inputs"][0]
    assert pointers(service.predict(body, IRIS)) == {"/inputs/1/name", "/inputs"}


def test_one_array_of_numbers_can_hold_every_field(service: FrontService) -> None:
    row = [float(value) for value in FLOWER.values()]
    tensor = {"name": "predict", "datatype": "FP64", "shape": [2, 4], "data": [row, row]}
    answer = service.predict({"inputs": [tensor]}, IRIS)
    assert values(outputs(answer)["prediction"]) == [service.predict(FLOWER).json()["prediction"]] * 2
    row[3] = -1.0
    assert pointers(service.predict({"inputs": [tensor]}, IRIS)) == {
        "/inputs/0/data/0/3",
        "/inputs/0/data/1/3",
    }


BROKEN = ("0", "-1", "12x", "", "99999", "9" * 40)


@pytest.mark.parametrize("length", BROKEN)
def test_a_length_that_is_not_the_jsons_is_refused(service: FrontService, length: str) -> None:
    body, headers = binary_request("iris", [FLOWER])
    headers["inference-header-content-length"] = length
    assert service.predict(body, IRIS, **headers).status_code == 400


@pytest.mark.parametrize("change", [b"", b"x"], ids=["less", "more"])
def test_bytes_that_are_not_the_tensors_are_refused(service: FrontService, change: bytes) -> None:
    body, headers = binary_request("iris", [FLOWER])
    body = body + change if change else body[:-1]
    assert service.predict(body, IRIS, **headers).status_code == 400


def test_rows_are_not_skipped_and_load_is_not_done(service: FrontService) -> None:
    body = request_of("iris", [FLOWER], parameters={"on_error": "skip"})
    assert pointers(service.predict(body, IRIS)) == {"/parameters/on_error"}
    refused = service.ask("POST", "/v2/repository/models/iris/load", headers=service.token())
    assert "registry" in refused.json()["error"]


ELSEWHERE: dict[str, tuple[dict[str, Any], str]] = {
    "bytes that do not follow": ({"binary_data_size": 8}, "/inputs/0/parameters/binary_data_size"),
    "shared memory": ({"shared_memory_region": "a"}, "/inputs/0/parameters/shared_memory_region"),
}


@pytest.mark.parametrize("kind", sorted(ELSEWHERE))
@pytest.mark.parametrize("rows", [1, 2])
def test_a_tensor_is_here_or_elsewhere(service: FrontService, kind: str, rows: int) -> None:
    parameters, pointer = ELSEWHERE[kind]
    body = request_of("iris", [FLOWER] * rows)
    body["inputs"][0]["parameters"] = {"content_type": "np"}
    assert service.predict(body, IRIS).status_code == 200
    body["inputs"][0]["parameters"] = parameters
    assert pointers(service.predict(body, IRIS)) == {pointer}


def test_a_tensor_has_data_or_bytes_behind_the_json(service: FrontService) -> None:
    content, headers = binary_request("iris", [FLOWER])
    size = int(headers["inference-header-content-length"])
    asked = json.loads(content[:size])
    asked["inputs"][1]["data"] = [3.5]
    head = json.dumps(asked).encode()
    headers["inference-header-content-length"] = str(len(head))
    assert pointers(service.predict(head + content[size:], IRIS, **headers)) == {"/inputs/1/data"}


WISHES: dict[str, tuple[dict[str, Any], str]] = {
    "outputs in shared memory": (
        {"outputs": [{"name": "prediction", "parameters": {"shared_memory_region": "a"}}]},
        "/outputs/0/parameters/shared_memory_region",
    ),
    "classes": (
        {"outputs": [{"name": "prediction", "parameters": {"classification": 2}}]},
        "/outputs/0/parameters/classification",
    ),
    "an output twice": ({"outputs": [{"name": "prediction"}, {"name": "prediction"}]}, "/outputs/1/name"),
    "a sequence": ({"parameters": {"sequence_id": 7}}, "/parameters/sequence_id"),
    "a sequence by name": ({"parameters": {"sequence_id": "a"}}, "/parameters/sequence_id"),
    "the start of a sequence": ({"parameters": {"sequence_start": True}}, "/parameters/sequence_start"),
}


@pytest.mark.parametrize("kind", sorted(WISHES))
def test_what_is_not_done_here_is_refused(service: FrontService, kind: str) -> None:
    wish, pointer = WISHES[kind]
    assert pointers(service.predict(request_of("iris", [FLOWER], **wish), IRIS)) == {pointer}


def test_hints_are_left_alone(service: FrontService) -> None:
    hints = {"sequence_id": 0, "sequence_start": False, "priority": 3, "timeout": 10}
    assert service.predict(request_of("iris", [FLOWER], parameters=hints), IRIS).status_code == 200


@pytest.mark.parametrize(
    ("accept", "in_json", "in_bytes"),
    [
        ("*/*", 200, 200),
        ("application/*", 200, 200),
        ("application/json", 200, 406),
        ("application/octet-stream", 406, 200),
        ("application/octet-stream, application/json;q=0.5", 200, 200),
        ("application/json;q=0", 406, 406),
        ("application/json; q=0.000, */*", 406, 200),
        ("*/*;q=0, Application/JSON", 200, 406),
        ("text/html", 406, 406),
    ],
)
def test_an_answer_is_of_a_type_that_the_client_takes(
    service: FrontService, accept: str, in_json: int, in_bytes: int
) -> None:
    wishes: tuple[dict[str, Any], ...] = ({}, {"binary_data_output": True})
    answers = [
        service.predict(request_of("iris", [FLOWER], parameters=wish), IRIS, accept=accept) for wish in wishes
    ]
    assert [answer.status_code for answer in answers] == [in_json, in_bytes]
    native = service.predict(FLOWER, accept=accept)
    assert native.status_code == in_json
