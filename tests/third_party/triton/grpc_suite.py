"""What a user of `tritonclient[grpc]` does, against a served Slipway; runs in the client's own environment."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import queue

import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from google.protobuf import descriptor_pb2
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

ADDRESS, ROWS = os.environ["SLIPWAY_GRPC"], json.loads(os.environ["SLIPWAY_ROWS"])
EXPECTED = json.loads(os.environ["SLIPWAY_EXPECTED"])
HEADERS = {"authorization": f"Bearer {os.environ['SLIPWAY_TOKEN']}"}
DTYPES = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def metadata_of(client, model):
    return client.get_model_metadata(model, headers=HEADERS, as_json=True)


def inputs(client, model, rows):
    """One tensor per field that every row has, as the model's own metadata announces them."""
    found = []
    for announced in metadata_of(client, model)["inputs"]:
        name, datatype = announced["name"], announced["datatype"]
        if any(row.get(name) is None for row in rows):
            continue
        values = np.array([row[name] for row in rows], dtype=DTYPES[datatype])
        tensor = triton.InferInput(name, [len(rows)], datatype)
        tensor.set_data_from_numpy(values)
        found.append(tensor)
    return found


def check_definition(client):
    """Our file and the one that this client was made from say the same on the wire, where both say anything."""
    ours = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(os.environ["SLIPWAY_DESCRIPTOR"]))
    theirs = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(theirs)
    assert ours.package == theirs.package
    compare(ours.message_type, theirs.message_type)
    known = {each.name: each for each in theirs.service[0].method}
    for method in ours.service[0].method:
        twin = known[method.name]
        assert (method.input_type, method.output_type) == (twin.input_type, twin.output_type)


def compare(ours, theirs):
    known = {each.name: each for each in theirs}
    for message in ours:
        fields = {field.name: field for field in known[message.name].field}
        for field in message.field:
            twin = fields[field.name]
            said = (field.number, field.type, field.label, field.type_name)
            assert said == (twin.number, twin.type, twin.label, twin.type_name), (message.name, field.name)
        compare(message.nested_type, known[message.name].nested_type)


def check_server(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata(as_json=True)["name"] == "slipway"


def check_models(client):
    for model in ROWS:
        assert client.is_model_ready(model)
        metadata = metadata_of(client, model)
        (version,) = metadata["versions"]
        assert client.is_model_ready(model, version, headers=HEADERS)
        assert metadata["platform"] == "onnxruntime_onnx"


def check_inference(client):
    for model, rows in ROWS.items():
        answer = client.infer(model, inputs(client, model, rows), request_id="41", headers=HEADERS)
        assert answer.get_response().id == "41"
        check_prediction(answer.as_numpy("prediction"), EXPECTED[model])
        assert len(answer.as_numpy("prediction_id")) == len(rows)


def check_typed(client):
    """Without the client's own way of packing: contents by datatype, as other clients send them."""
    request = service_pb2.ModelInferRequest(model_name="iris")
    for name in ROWS["iris"][0]:
        tensor = request.inputs.add(name=name, datatype="FP64", shape=[len(ROWS["iris"])])
        tensor.contents.fp64_contents.extend(row[name] for row in ROWS["iris"])
    answer = client._client_stub.ModelInfer(request, metadata=tuple(HEADERS.items()))
    said = [each.decode() for each in answer.outputs[0].contents.bytes_contents]
    assert said == [each["prediction"] for each in EXPECTED["iris"]]


def check_prediction(values, expected):
    said = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    assert said == [answer["prediction"] for answer in expected], (said, expected)


def check_requested_outputs(client):
    wanted = [triton.InferRequestedOutput("probabilities")]
    answer = client.infer("iris", inputs(client, "iris", ROWS["iris"]), outputs=wanted, headers=HEADERS)
    assert [output.name for output in answer.get_response().outputs] == ["probabilities"]
    shares = answer.as_numpy("probabilities")
    assert (shares.shape, shares.dtype) == ((len(ROWS["iris"]), 3), np.float64)
    assert shares.tolist() == [list(each["probabilities"].values()) for each in EXPECTED["iris"]]


def check_versions(client):
    (version,) = metadata_of(client, "iris")["versions"]
    tensors = inputs(client, "iris", ROWS["iris"])
    answer = client.infer("iris", tensors, model_version=version, headers=HEADERS)
    assert answer.get_response().model_version == version
    refused("NOT_FOUND", lambda: client.infer("iris", tensors, model_version="999", headers=HEADERS))


def check_callbacks(client):
    answers = queue.Queue()
    tensors = inputs(client, "iris", ROWS["iris"])
    for place in range(20):
        client.async_infer(
            "iris",
            tensors,
            lambda result, error: answers.put((result, error)),
            request_id=str(place),
            headers=HEADERS,
        )
    found = [answers.get(timeout=20) for _ in range(20)]
    assert {result.get_response().id for result, _ in found} == {str(place) for place in range(20)}
    assert all(error is None for _, error in found)


def check_asyncio(client):
    async def ask():
        async with triton_aio.InferenceServerClient(ADDRESS) as other:
            assert await other.is_server_ready()
            tensors = inputs(client, "iris", ROWS["iris"])
            asked = [other.infer("iris", tensors, headers=HEADERS) for _ in range(20)]
            for answer in await asyncio.gather(*asked):
                check_prediction(answer.as_numpy("prediction"), EXPECTED["iris"])

    asyncio.run(ask())


def check_errors(client):
    tensors = inputs(client, "iris", ROWS["iris"])
    refused("NOT_FOUND", lambda: client.infer("nothing", tensors, headers=HEADERS))
    refused("The tensor sepal_length is missing", lambda: client.infer("iris", tensors[1:], headers=HEADERS))
    refused("UNAUTHENTICATED", lambda: client.infer("iris", tensors))
    refused("UNIMPLEMENTED", lambda: client.load_model("iris", headers=HEADERS))
    refused("UNAUTHENTICATED", lambda: client.load_model("iris"))


def refused(said, call):
    try:
        call()
    except InferenceServerException as error:
        refusal = f"{error.status()} {error}"
    else:
        raise AssertionError(f"nothing was refused; expected {said!r}")
    assert said in refusal, refusal


def main():
    with triton.InferenceServerClient(ADDRESS) as client:
        for check in (
            *(check_definition, check_server, check_models, check_inference, check_typed),
            *(check_requested_outputs, check_versions, check_callbacks, check_asyncio, check_errors),
        ):
            check(client)
            print(f"{check.__name__}: passed")
    print("all passed")


if __name__ == "__main__":
    main()
