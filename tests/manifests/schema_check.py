"""What strict validation would say: built-in kinds by the schemas of Kubernetes, others by those of their CRDs.

The schemas of the built-in kinds lie in .venv-checks (package kubernetes-validate), those of the CRDs beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.validators import Draft202012Validator
from referencing import Registry, Resource

from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import Manifest
from tests.manifests.pods import COMPONENT_FIELDS, pods

CRD_FOLDER = Path(__file__).parent / "schemas"
NEWEST = 3
POD_SPEC = "io.k8s.api.core.v1.PodSpec"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
Schema = dict[str, Any]


def minors() -> tuple[str, ...]:
    """The newest Kubernetes minors whose schemas are there, oldest first."""
    names = (found.name.split("-")[0] for found in _folder().glob("v*-local-strict"))
    return tuple(sorted(names, key=lambda name: [int(part) for part in name[1:].split(".")])[-NEWEST:])


def errors(manifest: Manifest, minor: str) -> list[str]:
    """Everything that is wrong with an object, not the first alone."""
    body = manifest.body
    if (native := _native(minor, body["apiVersion"], body["kind"])) is not None:
        return [*_said(native, body)]
    custom = _custom(body["apiVersion"], body["kind"])
    if custom is None:
        return [f"no schema of {body['apiVersion']} {body['kind']}"]
    found = [*_said(custom, body), *_said(_definition(minor, OBJECT_META), body["metadata"])]
    found += duplicates(_crd(body["apiVersion"], body["kind"]), body)
    for pod in pods([manifest]):
        found += [
            f"{pod.path}: {what}"
            for what in _said(_definition(minor, POD_SPEC), _pod_fields(pod.spec, minor))
        ]
    return found


def has_schema(manifest: Manifest) -> bool:
    body = manifest.body
    if _native(minors()[-1], body["apiVersion"], body["kind"]) is not None:
        return True
    return _custom(body["apiVersion"], body["kind"]) is not None


def expressions(manifest: Manifest) -> set[str]:
    """CEL rules of its CRD that speak about fields which it has; nothing here evaluates them."""
    return set(_expressions(_crd(manifest.body["apiVersion"], manifest.body["kind"]), manifest.body))


def _expressions(schema: Schema, value: Any) -> Iterator[str]:
    yield from (rule["rule"] for rule in schema.get("x-kubernetes-validations", ()))
    for below, inner in _below(schema, value):
        yield from _expressions(below, inner)


def duplicates(schema: Schema, value: Any) -> Iterator[str]:
    """Items of lists that are sets or maps to the API server, and hold something twice."""
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys", ())
    if isinstance(value, list) and kind in {"set", "map"}:
        read = [json.dumps([item.get(key) for key in keys] if kind == "map" else item) for item in value]
        yield from (f"{item} is in a list twice" for item in sorted(set(read)) if read.count(item) > 1)
    for below, inner in _below(schema, value):
        yield from duplicates(below, inner)


def _below(schema: Schema, value: Any) -> Iterator[tuple[Schema, Any]]:
    """The parts of a value with the schema of each."""
    if isinstance(value, dict):
        for key, inner in value.items():
            below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(below, dict):
                yield below, inner
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        yield from ((schema["items"], item) for item in value)


def _said(validator: Draft202012Validator, value: Any) -> Iterator[str]:
    for error in validator.iter_errors(value):
        place = "/".join(str(step) for step in error.absolute_path)
        yield f"{place}: {error.message[:200]}"


def _folder() -> Path:
    pattern = ".venv-checks/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema"
    found = next(iter(ROOT.glob(pattern)), None)
    assert found, "the schemas of Kubernetes are missing: make checks-env"
    return found


@cache
def _definitions(minor: str) -> tuple[Registry, Schema]:
    contents = json.loads(
        (_folder() / f"{minor}-local-strict" / "_definitions.json").read_text(encoding="utf-8")
    )
    return Resource.from_contents(contents) @ Registry(), contents


@cache
def _native(minor: str, api_version: str, kind: str) -> Draft202012Validator | None:
    group, _, version = api_version.rpartition("/")
    prefix = f"{group.split('.')[0]}-" if group else ""
    path = _folder() / f"{minor}-local-strict" / f"{kind.lower()}-{prefix}{version}.json"
    if not path.is_file():
        return None
    schema = json.loads(path.read_text(encoding="utf-8"))
    if not any(known["group"] == group for known in schema.get("x-kubernetes-group-version-kind", ())):
        return None  # "serving.kserve.io" and another group may share their first word
    registry, _ = _definitions(minor)
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry)


@cache
def _definition(minor: str, name: str) -> Draft202012Validator:
    registry, contents = _definitions(minor)
    return Draft202012Validator({"$ref": f"{contents['$id']}#/$defs/{name}"}, registry=registry)


def _pod_fields(spec: dict[str, Any], minor: str) -> dict[str, Any]:
    """Of a component that mixes them with its own, the fields that a pod has."""
    known = _definitions(minor)[1]["$defs"][POD_SPEC]["properties"]
    return {key: value for key, value in spec.items() if key in known and key not in COMPONENT_FIELDS}


@cache
def _crd(api_version: str, kind: str) -> Schema:
    """As its project wrote it; empty where there is none."""
    path = CRD_FOLDER / f"{api_version.replace('/', '_')}_{kind}.json"
    found: Schema = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


@cache
def _custom(api_version: str, kind: str) -> Draft202012Validator | None:
    written = _crd(api_version, kind)
    if not written:
        return None
    schema = structural(written)
    known = {"apiVersion": {"const": api_version}, "kind": {"const": kind}, "metadata": {"type": "object"}}
    schema["properties"] |= known
    return Draft202012Validator(schema)


def structural(schema: Schema) -> Schema:
    """A structural schema as the API server reads it: what it does not name is an error, unless it says otherwise."""
    read = {
        key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "format"
    }
    if schema.get("x-kubernetes-int-or-string"):
        read.pop("anyOf", None)
        read["type"] = ["integer", "string"]
    if schema.get("nullable") and "type" in read:
        read["type"] = [*([read["type"]] if isinstance(read["type"], str) else read["type"]), "null"]
    if "properties" in schema:
        read["properties"] = {name: structural(below) for name, below in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        read["items"] = structural(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        read["additionalProperties"] = structural(schema["additionalProperties"])
    if schema.get("x-kubernetes-embedded-resource"):
        read.setdefault("properties", {}).update({"apiVersion": {}, "kind": {}, "metadata": {}})
        read["required"] = [*read.get("required", ()), "apiVersion", "kind"]
    if _closed(schema):
        read["additionalProperties"] = False
    return read


def _closed(schema: Schema) -> bool:
    if schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema:
        return False
    return schema.get("type") == "object" and "properties" in schema
