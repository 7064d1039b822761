"""Requests as MLServer's own codecs encode them, and answers as they decode them; runs in MLServer's environment."""

from __future__ import annotations

import json
import os
import urllib.request

import numpy as np
import pandas as pd
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, PandasCodec, StringCodec
from mlserver.codecs.datetime import DatetimeCodec
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput

URL, ROWS = os.environ["SLIPWAY_URL"], json.loads(os.environ["SLIPWAY_ROWS"])
HEADERS = {"Authorization": f"Bearer {os.environ['SLIPWAY_TOKEN']}", "Content-Type": "application/json"}


def post(path, body):
    request = urllib.request.Request(f"{URL}{path}", body, HEADERS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def native(model, rows):
    return json.loads(post(f"/predict/{model}", json.dumps({"instances": rows}).encode()))["predictions"]


def infer(model, request):
    body = (
        request.model_dump_json(exclude_none=True) if hasattr(request, "model_dump_json") else request.json()
    )
    return InferenceResponse.model_validate_json(post(f"/v2/models/{model}/infer", body.encode()))


def column(answer, name, codec):
    (output,) = [each for each in answer.outputs if each.name == name]
    return codec.decode_output(output)


def complete(rows):
    return [
        {name: row[name] for name in row if all(each.get(name) is not None for each in rows)} for row in rows
    ]


def check_pandas():
    """`pd`: a column of the frame per tensor, of shape [n, 1]."""
    for model, rows in ROWS.items():
        rows = complete(rows)
        for use_bytes in (False, True):
            request = PandasCodec.encode_request(pd.DataFrame(rows), use_bytes=use_bytes)
            if use_bytes:  # its JSON writes bytes as text
                request = InferenceRequest.model_validate_json(request.model_dump_json())
            answer = infer(model, request)
            frame = PandasCodec.decode_response(answer) if model != "iris" else None
            said = column(answer, "prediction", StringCodec if model == "iris" else NumpyCodec)
            expected = [each["prediction"] for each in native(model, rows)]
            assert np.array(said).reshape(-1).tolist() == expected
            if frame is not None:
                assert frame["prediction"].tolist() == expected


def check_numpy():
    """`np`: one array, a column per field."""
    rows = ROWS["iris"]
    for dtype in (np.float64, np.float32):
        values = np.array([list(row.values()) for row in rows], dtype=dtype)
        answer = infer("iris", NumpyRequestCodec.encode_request(values))
        sent = [dict(zip(rows[0], map(float, row), strict=True)) for row in values]
        expected = native("iris", sent)
        assert column(answer, "prediction", StringCodec) == [each["prediction"] for each in expected]
        shares = column(answer, "probabilities", NumpyCodec)
        assert shares.tolist() == [list(each["probabilities"].values()) for each in expected]


def check_one_input_each():
    """A tensor per field with the codec of its type: text, moments and numbers."""
    row = {"ordered_at": "2022-03-19T11:30:00", "weather": "sunny", "rider_age": 33.0, "vehicle_condition": 2}
    moment = pd.Timestamp(row["ordered_at"]).to_pydatetime()
    request = InferenceRequest(
        id="mine",
        inputs=[
            DatetimeCodec.encode_input("ordered_at", [moment], use_bytes=False),
            StringCodec.encode_input("weather", [row["weather"]], use_bytes=False),
            NumpyCodec.encode_input("rider_age", np.array([row["rider_age"]])),
            RequestInput(name="vehicle_condition", datatype="INT32", shape=[1], data=[2]),
        ],
    )
    answer = infer("food-delivery", request)
    assert (answer.id, answer.model_name) == ("mine", "food-delivery")
    (expected,) = native("food-delivery", [row])
    assert column(answer, "prediction", NumpyCodec).reshape(-1).tolist() == [expected["prediction"]]


def main():
    for check in (check_pandas, check_numpy, check_one_input_each):
        check()
        print(f"{check.__name__}: passed")
    print("all passed")


if __name__ == "__main__":
    main()
