"""Requests for the same rows in each protocol, no two of them alike, as the bytes that go over the wire."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.bodies import Row

NATIVE, V2_JSON, V2_BINARY = "native", "v2 JSON", "v2 binary"
Values = Sequence[Mapping[str, Any]]


def rows_of(row: Row, first: int, count: int) -> list[dict[str, Any]]:
    """Rows `first` to `first + count` of endless many."""
    fine, coarse = row.varied
    return [
        {
            **row.values,
            fine.name: fine.base + fine.fine * (number % 1000),
            coarse.name: coarse.base + coarse.coarse * 1e-4 * (number // 1000),
        }
        for number in range(first, first + count)
    ]


def native(rows: Values) -> tuple[bytes, dict[str, str]]:
    return _json(rows[0] if len(rows) == 1 else {"instances": rows})


def v2_json(rows: Values) -> tuple[bytes, dict[str, str]]:
    columns = [(name, [row[name] for row in rows]) for name in rows[0]]
    inputs = [_tensor(name, values) | {"data": values} for name, values in columns]
    return _json({"inputs": inputs})


def v2_binary(rows: Values) -> tuple[bytes, dict[str, str]]:
    columns = [(name, [row[name] for row in rows]) for name in rows[0]]
    blobs = [_raw(values) for _, values in columns]
    inputs = [
        _tensor(name, values) | {"parameters": {"binary_data_size": len(blob)}}
        for (name, values), blob in zip(columns, blobs, strict=True)
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return head + b"".join(blobs), headers


WRITERS: Mapping[str, Callable[[Values], tuple[bytes, dict[str, str]]]] = {
    NATIVE: native,
    V2_JSON: v2_json,
    V2_BINARY: v2_binary,
}


def paths(model: str) -> Mapping[str, str]:
    infer = f"/v2/models/{model}/infer"
    return {NATIVE: f"/predict/{model}", V2_JSON: infer, V2_BINARY: infer}


def request(protocol: str, model: str, rows: Values, authorization: str) -> bytes:
    body, more = WRITERS[protocol](rows)
    headers = {
        "Host": "127.0.0.1",
        "Authorization": authorization,
        "Content-Length": str(len(body)),
        **more,
    }
    lines = [
        f"POST {paths(model)[protocol]} HTTP/1.1",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _json(content: Any) -> tuple[bytes, dict[str, str]]:
    return json.dumps(content, separators=(",", ":")).encode(), {"Content-Type": "application/json"}


def _tensor(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "shape": [len(values)],
        "datatype": "BYTES" if isinstance(values[0], str) else "FP64",
    }


def _raw(values: Sequence[Any]) -> bytes:
    if isinstance(values[0], str):
        texts = [value.encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return struct.pack(f"<{len(values)}d", *values)
