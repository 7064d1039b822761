"""What a user of the `kserve` package does: its client in both protocols, and a transformer of hers in front of us."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import numpy as np
from kserve import InferInput, InferRequest
from kserve.inference_client import InferenceRESTClient, RESTConfig

URL, ROWS = os.environ["SLIPWAY_URL"], json.loads(os.environ["SLIPWAY_ROWS"])
HEADERS = {"authorization": f"Bearer {os.environ['SLIPWAY_TOKEN']}"}
FLOWERS = ROWS["iris"]
START_SECONDS = 60


def native(rows):
    answer = httpx.post(f"{URL}/predict/iris", json={"instances": rows}, headers=HEADERS, timeout=10)
    answer.raise_for_status()
    return answer.json()["predictions"]


def tensors(rows, *, binary):
    found = []
    for name in rows[0]:
        values = np.array([row[name] for row in rows], dtype=np.float64)
        tensor = InferInput(name, list(values.shape), "FP64")
        tensor.set_data_from_numpy(values, binary_data=binary)
        found.append(tensor)
    return found


def predictions(answer):
    (output,) = [each for each in answer.outputs if each.name == "prediction"]
    return [value.decode() if isinstance(value, bytes) else value for value in output.as_numpy().tolist()]


async def check_v2():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_ready(URL)
    assert await client.is_server_live(URL)
    assert await client.is_model_ready(URL, "iris")
    expected = [each["prediction"] for each in native(FLOWERS)]
    for binary in (False, True):
        request = InferRequest("iris", tensors(FLOWERS, binary=binary), "7")
        answer = await client.infer(URL, request, model_name="iris", headers=dict(HEADERS))
        assert predictions(answer) == expected
        assert answer.id == "7"
    request = InferRequest("iris", tensors(FLOWERS, binary=True), parameters={"binary_data_output": True})
    answer = await client.infer(URL, request, model_name="iris", headers=dict(HEADERS))
    assert predictions(answer) == expected
    await refused(client.infer(URL, request, model_name="nothing", headers=dict(HEADERS)), 404)
    await refused(client.infer(URL, request, model_name="iris"), 401)
    await client.close()


async def check_v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_model_ready(URL, "iris")
    answer = await client.infer(URL, {"instances": FLOWERS}, model_name="iris", headers=HEADERS)
    said = [each["prediction"] for each in answer["predictions"]]
    assert said == [each["prediction"] for each in native(FLOWERS)]
    await refused(client.infer(URL, {"instances": []}, model_name="iris", headers=HEADERS), 400)
    await client.close()


async def refused(call, status):
    try:
        await call
    except httpx.HTTPStatusError as error:
        answer = error.response
    else:
        raise AssertionError(f"nothing was refused with {status}")
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status
    assert answer.json()["error"]


async def check_transformers():
    in_millimetres = [{name: value * 10 for name, value in row.items()} for row in FLOWERS]
    back = [{name: value / 10 for name, value in row.items()} for row in in_millimetres]
    expected = [each["prediction"] for each in native(back)]
    with transformer("v1") as front:
        client = InferenceRESTClient(RESTConfig(protocol="v1"))
        body = {"instances": in_millimetres}
        answer = await client.infer(front, body, model_name="iris", headers=HEADERS)
        assert [each["prediction"] for each in answer["predictions"]] == expected
        await client.close()
    with transformer("v2") as front:
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        request = InferRequest("iris", tensors(in_millimetres, binary=True))
        answer = await client.infer(front, request, model_name="iris", headers=dict(HEADERS))
        assert predictions(answer) == expected
        await client.close()


@contextmanager
def transformer(protocol):
    """The address of a transformer that asks us in this protocol."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "transformer.py", str(port), protocol])
    address, give_up_at = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while not answers(f"{address}/v2/health/ready"):
            assert process.poll() is None, "the transformer ended"
            assert time.monotonic() < give_up_at, "the transformer does not answer"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def answers(url):
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


def main():
    for check in (check_v2, check_v1, check_transformers):
        asyncio.run(check())
        print(f"{check.__name__}: passed")
    print("all passed")


if __name__ == "__main__":
    main()
