"""Every object is what the API server of each supported Kubernetes minor accepts, and every custom one what its CRD says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator

from deploy.manifests.kustomize import ROOT, render
from deploy.manifests.objects import Manifest, parse
from tests.manifests.rendering import components, on_base_objects, overlay, overlays
from tests.manifests.schema_check import duplicates, errors, expressions, has_schema, minors, structural

# Kinds for which no schema is carried; the README says what that leaves unchecked.
WITHOUT_SCHEMA = {"HTTPRoute"}
# CEL rules that speak about our objects. Nothing evaluates them here: each is said again by the rule that is named.
SAID_BY_A_RULE = {
    "!has(self.minReplicaCount) || self.minReplicaCount <= (has(self.maxReplicaCount) ? self.maxReplicaCount : 100)": (
        "autoscaler-has-room"
    ),
    "self == oldSelf": "a selector is never changed: about updates, nothing to check in one render",
}


def wrong(manifests: tuple[Manifest, ...], minor: str) -> list[str]:
    return [
        f"{manifest.identity}: {what}"
        for manifest in manifests
        if manifest.identity.kind not in WITHOUT_SCHEMA
        for what in errors(manifest, minor)
    ]


@pytest.mark.parametrize("minor", minors())
@pytest.mark.parametrize("name", overlays())
def test_an_overlay_passes_strict_validation(name: str, minor: str) -> None:
    assert wrong(overlay(name), minor) == []


@pytest.mark.parametrize("name", components())
def test_a_component_passes_strict_validation(name: str) -> None:
    assert wrong(on_base_objects(name), minors()[-1]) == []


def test_what_argo_cd_reads_passes_strict_validation() -> None:
    assert wrong(parse(render(ROOT / "argocd")), minors()[-1]) == []
    assert wrong(parse(render(ROOT / "argocd" / "apps")), minors()[-1]) == []
    assert wrong(parse(render(ROOT / "argocd" / "default")), minors()[-1]) == []


def test_three_minors_are_checked() -> None:
    assert len(minors()) == 3


@pytest.mark.parametrize("name", overlays())
def test_kinds_without_a_schema_are_known(name: str) -> None:
    assert {m.identity.kind for m in overlay(name) if not has_schema(m)} <= WITHOUT_SCHEMA


@pytest.mark.parametrize("name", overlays())
def test_expressions_that_nobody_evaluates_are_known(name: str) -> None:
    assert {rule for manifest in overlay(name) for rule in expressions(manifest)} <= set(SAID_BY_A_RULE)


# What a strict API server refuses: one wrong thing each, in an object that is right otherwise.
def _put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        *steps, last = path.split("/")
        node: Any = body
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        node[last] = value

    return change


WRONG = {
    "unknown field": ("Deployment", _put("spec/replica", 3)),
    "unknown field in the pod": (
        "Deployment",
        _put("spec/template/spec/containers/0/imagePullpolicy", "Always"),
    ),
    "wrong type": ("Deployment", _put("spec/template/spec/terminationGracePeriodSeconds", "60")),
    "boolean as a label": ("Deployment", _put("metadata/labels/x", True)),
    "number as an annotation": ("Namespace", _put("metadata/annotations/x", 3)),
    "no selector": ("Deployment", lambda body: body["spec"].pop("selector")),
    "number as configuration": ("ConfigMap", _put("data/SPOOL_LIMIT_BYTES", 5)),
    "port as text": ("Service", _put("spec/ports/0/port", "8000")),
    "wrong enumeration": ("Service", _put("spec/type", 3)),
    "unknown field of a budget": ("PodDisruptionBudget", _put("spec/maxUnavailables", 1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_object_is_refused(name: str) -> None:
    kind, change = WRONG[name]
    manifest = next(m for m in overlay("staging") if m.identity.kind == kind)
    broken = copy.deepcopy(manifest.body)
    change(broken)
    assert errors(manifest, minors()[-1]) == []
    assert errors(Manifest(manifest.identity, broken), minors()[-1]) != []


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"b": 1}, False),
        ({"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": True}, {"b": 1}, True),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
            "25%",
            True,
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
            1.5,
            False,
        ),
        ({"type": "string", "nullable": True}, None, True),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}},
            {"kind": "Pod"},
            False,
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"any": "name"}, True),
        ({"type": "array", "items": {"type": "object", "properties": {}}}, [{"b": 1}], False),
    ],
)
def test_a_structural_schema_is_read_as_the_api_server_reads_it(
    schema: Any, value: Any, *, valid: bool
) -> None:
    assert Draft202012Validator(structural(schema)).is_valid(value) is valid


@pytest.mark.parametrize(
    ("schema", "value", "twice"),
    [
        ({"x-kubernetes-list-type": "set"}, ["a", "b", "a"], 1),
        ({"x-kubernetes-list-type": "set"}, ["a", "b"], 0),
        (
            {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
            [{"name": "a"}, {"name": "a", "b": 1}],
            1,
        ),
        ({"x-kubernetes-list-type": "atomic"}, ["a", "a"], 0),
    ],
)
def test_what_a_list_may_hold_once_is_there_once(schema: Any, value: Any, twice: int) -> None:
    assert len(list(duplicates({"properties": {"listed": schema}}, {"listed": value}))) == twice
