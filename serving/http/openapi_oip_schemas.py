"""The schemas of the Open Inference Protocol's messages, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from serving.http.openapi_headers import TEXT
from serving.http.openapi_parts import closed_object, schema_ref
from serving.oip.tensors import DATATYPES

ANYTHING: dict[str, Any] = {"type": "object", "additionalProperties": True}
YES: dict[str, Any] = {"type": "boolean"}


def oip_schemas() -> dict[str, Any]:
    return {**_metadata(), **_inference(), "V1Models": closed_object(models=_many(TEXT))}


def _metadata() -> dict[str, Any]:
    tensors = _many(schema_ref("OipTensorMetadata"))
    shape = _many({"type": "integer", "minimum": -1})
    state = {"enum": ["READY", "LOADING", "UNAVAILABLE"]}
    return {
        "OipServer": closed_object(name=TEXT, version=TEXT, extensions=_many(TEXT)),
        "OipLive": closed_object(live=YES),
        "OipReady": closed_object(live=YES, ready=YES),
        "OipModelReady": closed_object(name=TEXT, ready=YES),
        "OipTensorMetadata": closed_object(name=TEXT, datatype=_datatype(), shape=shape),
        "OipModel": closed_object(
            name=TEXT, versions=_many(TEXT), platform=TEXT, inputs=tensors, outputs=tensors
        ),
        "OipIndexWish": {**ANYTHING, "properties": {"ready": YES}},
        "OipIndex": _many(closed_object(name=TEXT, version=TEXT, state=state, reason=TEXT)),
    }


def _inference() -> dict[str, Any]:
    """Members that the protocol does not know are left alone, as it says; what is answered has no others."""
    size = {"type": "integer", "minimum": 0}
    shape = _many({"type": "integer"})
    data: dict[str, Any] = {"type": "array", "items": {"type": ["number", "string", "null"]}}
    wanted = {"name": TEXT, "parameters": ANYTHING}
    sent = {"name": TEXT, "datatype": _datatype(), "shape": shape, "parameters": ANYTHING}
    sent["data"] = {"type": "array", "items": {}, "description": "flat, or an array per row"}
    asked = {"id": TEXT, "parameters": ANYTHING}
    asked |= {
        "inputs": {**_many(schema_ref("OipInput")), "minItems": 1},
        "outputs": _many(schema_ref("OipWantedOutput")),
    }
    about = closed_object({"prediction_id": TEXT}, cached=YES)
    binary = {"data": data, "parameters": closed_object(binary_data_size=size)}
    answered = closed_object(binary, name=TEXT, datatype=_datatype(), shape=_many(size))
    return {
        "OipInput": {**ANYTHING, "properties": sent, "required": ["name", "datatype", "shape"]},
        "OipWantedOutput": {**ANYTHING, "properties": wanted, "required": ["name"]},
        "OipRequest": {**ANYTHING, "properties": asked, "required": ["inputs"]},
        "OipOutput": answered,
        "OipAnswer": closed_object(
            {"id": TEXT},
            model_name=TEXT,
            model_version=TEXT,
            parameters=about,
            outputs=_many(schema_ref("OipOutput")),
        ),
    }


def _datatype() -> dict[str, Any]:
    return {"type": "string", "enum": sorted(DATATYPES)}


def _many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}
