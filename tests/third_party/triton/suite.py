"""What a user of `tritonclient[http]` does, against a served Slipway; runs in the client's own environment."""

from __future__ import annotations

import json
import os
import urllib.request

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

URL, ROWS = os.environ["SLIPWAY_URL"], json.loads(os.environ["SLIPWAY_ROWS"])
HEADERS = {"Authorization": f"Bearer {os.environ['SLIPWAY_TOKEN']}"}


def headers():
    """Of their own for each call: the client writes into what it is given."""
    return dict(HEADERS)


DTYPES = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def native(model, rows):
    """The answers of the native route, which everything else has to agree with."""
    body = json.dumps({"instances": rows}).encode()
    request = urllib.request.Request(
        f"{URL}/predict/{model}", body, {**HEADERS, "Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["predictions"]


def inputs(client, model, rows, *, binary):
    """One tensor per field that every row has, as the model's own metadata announces them."""
    found = []
    for announced in client.get_model_metadata(model, headers=headers())["inputs"]:
        name, datatype = announced["name"], announced["datatype"]
        if any(row.get(name) is None for row in rows):
            continue
        values = np.array([row[name] for row in rows], dtype=DTYPES[datatype])
        tensor = triton.InferInput(name, [len(rows)], datatype)
        tensor.set_data_from_numpy(values, binary_data=binary)
        found.append(tensor)
    return found


def told(rows):
    """The rows without what one of them lacks: what `inputs` sends."""
    return [
        {name: row[name] for name in row if all(each.get(name) is not None for each in rows)} for row in rows
    ]


def check_server(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata["name"] == "slipway"
    assert "binary_tensor_data" in metadata["extensions"]


def check_models(client):
    for model in ROWS:
        assert client.is_model_ready(model)
        metadata = client.get_model_metadata(model, headers=headers())
        (version,) = metadata["versions"]
        assert client.is_model_ready(model, version, headers=headers())
        assert client.get_model_metadata(model, version, headers=headers())["inputs"] == metadata["inputs"]
    index = client.get_model_repository_index(headers=headers())
    assert {(each["name"], each["state"]) for each in index} == {(model, "READY") for model in ROWS}


def check_inference(client):
    for model, examples in ROWS.items():
        for binary, rows in (
            (False, examples),
            (True, examples),
            (False, examples[:1]),
            (True, examples[:1]),
        ):
            expected = native(model, told(rows))
            tensors = inputs(client, model, rows, binary=binary)
            answer = client.infer(model, tensors, request_id="41", headers=headers())
            assert answer.get_response()["id"] == "41"
            assert answer.get_response()["model_version"] == expected[0]["model_version"]
            check_prediction(answer.as_numpy("prediction"), expected)
            assert len(answer.as_numpy("prediction_id")) == len(rows)


def check_prediction(values, expected):
    said = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    assert said == [answer["prediction"] for answer in expected], (said, expected)


def check_requested_outputs(client):
    rows = ROWS["iris"]
    tensors = inputs(client, "iris", rows, binary=True)
    for binary in (False, True):
        wanted = [triton.InferRequestedOutput("probabilities", binary_data=binary)]
        answer = client.infer("iris", tensors, outputs=wanted, headers=headers())
        assert [output["name"] for output in answer.get_response()["outputs"]] == ["probabilities"]
        shares = answer.as_numpy("probabilities")
        assert (shares.shape, shares.dtype) == ((len(rows), 3), np.float64)
        expected = [list(each["probabilities"].values()) for each in native("iris", rows)]
        assert shares.tolist() == expected


def check_versions(client):
    (version,) = client.get_model_metadata("iris", headers=headers())["versions"]
    tensors = inputs(client, "iris", ROWS["iris"], binary=True)
    answer = client.infer("iris", tensors, model_version=version, headers=headers())
    assert answer.get_response()["model_version"] == version
    refused(lambda: client.infer("iris", tensors, model_version="999", headers=headers()), "not loaded")


def check_matrix(client):
    """All fields of a model of numbers in one array."""
    fields = [each["name"] for each in client.get_model_metadata("iris", headers=headers())["inputs"]]
    values = np.array([[row[field] for field in fields] for row in ROWS["iris"]], dtype=np.float64)
    tensor = triton.InferInput("input-0", list(values.shape), "FP64")
    tensor.set_data_from_numpy(values)
    answer = client.infer("iris", [tensor], headers=headers())
    check_prediction(answer.as_numpy("prediction"), native("iris", ROWS["iris"]))


def check_async(client):
    tensors = inputs(client, "iris", ROWS["iris"], binary=True)
    asked = [
        client.async_infer("iris", tensors, request_id=str(place), headers=headers()) for place in range(20)
    ]
    answers = [each.get_result(timeout=20) for each in asked]
    assert [answer.get_response()["id"] for answer in answers] == [str(place) for place in range(20)]
    for answer in answers:
        check_prediction(answer.as_numpy("prediction"), native("iris", ROWS["iris"]))


def check_errors(client):
    tensors = inputs(client, "iris", ROWS["iris"], binary=True)
    refused(lambda: client.infer("nothing", tensors, headers=headers()), "No model of this name")
    refused(
        lambda: client.infer("iris", tensors[1:], headers=headers()), "The tensor sepal_length is missing"
    )
    refused(lambda: client.infer("iris", tensors), "token")
    wrong = triton.InferInput("sepal_length", [1], "BYTES")
    wrong.set_data_from_numpy(np.array(["long"], dtype=np.object_))
    refused(lambda: client.infer("iris", [wrong], headers=headers()), "/inputs/0/")
    refused(lambda: client.load_model("iris", headers=headers()), "registry")


def refused(call, said):
    try:
        call()
    except InferenceServerException as error:
        refusal = str(error)
    else:
        raise AssertionError(f"nothing was refused; expected {said!r}")
    assert said in refusal, refusal


def main():
    with triton.InferenceServerClient(URL.removeprefix("http://"), concurrency=4) as client:
        for check in (
            *(check_server, check_models, check_inference, check_requested_outputs),
            *(check_versions, check_matrix, check_async, check_errors),
        ):
            check(client)
            print(f"{check.__name__}: passed")
    print("all passed")


if __name__ == "__main__":
    main()
