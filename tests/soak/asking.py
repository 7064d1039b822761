"""What a soak asks: everything that clients send, good and bad, in shares that stay the same for the whole hour."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from modelkit.definition import load_catalog
from serving.oip.raw import write_raw
from tests.e2e.rows import iris_row
from tests.oip_tensors import json_inputs, tensors_of

KNOWN_ROWS, LARGE_ROWS = 200, 500
IRIS = load_catalog()["iris"]
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Question:
    """`expected` is the only status that is right."""

    kind: str
    path: str
    body: bytes
    expected: int = 200
    method: str = "POST"
    known: bool = True
    headers: tuple[tuple[str, str], ...] = ()

    def text(self, token: str) -> bytes:
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Content-Length: {len(self.body)}",
        ]
        lines += [f"Authorization: Bearer {token}"] if self.known else []
        lines += [f"{name}: {value}" for name, value in self.headers or (("Content-Type", JSON),)]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def _valid(chance: random.Random) -> Question:
    known = chance.random() < 0.5
    row = iris_row(random.Random(chance.randrange(KNOWN_ROWS)) if known else chance)[1]
    return Question(kind="valid", path="/predict/iris", body=msgspec.json.encode(row))


def _invalid(chance: random.Random) -> Question:
    wrong = chance.choice([b"{", b"[]", b'{"sepal_length":"long"}', b'{"sepal_length":1e400}', b"\xff\xfe"])
    return Question(kind="invalid", path="/predict/iris", body=wrong, expected=400)


def _unknown_caller(chance: random.Random) -> Question:
    row = msgspec.json.encode(iris_row(chance)[1])
    if chance.random() < 0.5:
        return Question(kind="no token", path="/predict/iris", body=row, expected=401, known=False)
    forged = f"Bearer {chance.randbytes(24).hex()}.{chance.randbytes(24).hex()}.{chance.randbytes(24).hex()}"
    headers = (("Authorization", forged), ("Content-Type", JSON))
    return Question(
        kind="forged token", path="/predict/iris", body=row, expected=401, known=False, headers=headers
    )


def _large(chance: random.Random) -> Question:
    rows = [iris_row(chance)[1] for _ in range(LARGE_ROWS)]
    return Question(kind="large", path="/predict/iris", body=msgspec.json.encode({"instances": rows}))


def _v2(chance: random.Random) -> Question:
    rows = [iris_row(chance)[1] for _ in range(chance.randint(1, 4))]
    body = msgspec.json.encode({"inputs": json_inputs(IRIS, rows)})
    return Question(kind="v2", path="/v2/models/iris/infer", body=body)


def _v2_binary(chance: random.Random) -> Question:
    tensors = tensors_of(IRIS, [iris_row(chance)[1] for _ in range(4)])
    blobs = [write_raw(each) for each in tensors]
    inputs = [
        {
            "name": each.name,
            "datatype": each.datatype,
            "shape": list(each.shape),
            "parameters": {"binary_data_size": len(blob)},
        }
        for each, blob in zip(tensors, blobs, strict=True)
    ]
    head = msgspec.json.encode({"inputs": inputs, "parameters": {"binary_data_output": True}})
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Inference-Header-Content-Length", str(len(head))),
    )
    return Question(
        kind="v2 binary", path="/v2/models/iris/infer", body=head + b"".join(blobs), headers=headers
    )


def _nowhere(chance: random.Random) -> Question:
    return Question(kind="unknown path", path=f"/{chance.randbytes(6).hex()}", body=b"", expected=404)


def _wrong_method(chance: random.Random) -> Question:
    return Question(kind="wrong method", path="/predict/iris", body=b"", expected=405, method="PUT")


SHARES: tuple[tuple[Callable[[random.Random], Question], int], ...] = (
    *((_valid, 70), (_invalid, 8), (_unknown_caller, 6), (_large, 2), (_v2, 6), (_v2_binary, 4)),
    *((_nowhere, 2), (_wrong_method, 2)),
)


def any_question(chance: random.Random) -> Question:
    makers, weights = zip(*SHARES, strict=True)
    made: Question = chance.choices(makers, weights)[0](chance)
    return made
