"""The OpenAPI document is whole: every address is in it, or named here with the reason why not, and it is well made."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from serving.http.openapi import openapi_document
from serving.http.openapi_parts import problems_of
from serving.http.passed_on import passed_on
from serving.http.problems import problem_types
from serving.http.surface import ISSUING
from serving.typed_answers import api_name
from tests.architecture.source_tree import ROOT
from tests.front_service import CATALOG, FrontService

DEFINITIONS = list(CATALOG.values())
DOCUMENT: dict[str, Any] = openapi_document(DEFINITIONS)
TYPED = {f"/{api_name(definition)}" for definition in DEFINITIONS}

# What is served and not described, and why.
EXCEPTIONS = {
    "/": "BentoML's own page for people",
    "/schema.json": "what BentoML's clients read; its shape is BentoML's",
    "/docs.json": "BentoML's description of the typed APIs, which are in ours",
    "/static_content/swagger-ui.css": "a file that /docs loads",
    "/static_content/swagger-ui-bundle.js": "a file that /docs loads",
}
# Prefixes that only say that there is no such thing: what is there is described one by one.
NOTHING_BELOW = {"/predict/", "/models/", "/explain/"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from nodes(item)


def test_the_document_is_an_openapi_document() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["servers"] == [{"url": "/"}]


def test_its_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert DOCUMENT["info"]["version"] == project["version"]


def test_it_is_what_is_served(service: FrontService) -> None:
    assert service.ask("GET", "/openapi.json").json() == DOCUMENT


def test_every_route_is_described(service: FrontService) -> None:
    surface = service.worker.front._surface
    for path, route in surface.routes.items():
        described = DOCUMENT["paths"].get(path) or DOCUMENT["paths"].get(route.template)
        assert described, path
        assert {method.upper() for method in described} == set(route.handlers), path
    templates = {route.template for prefix, route in surface.prefixes.items() if prefix not in NOTHING_BELOW}
    templates |= {route.template for route in surface.within.values()}
    assert templates <= set(DOCUMENT["paths"])


def test_nothing_is_described_that_is_not_there(service: FrontService) -> None:
    surface = service.worker.front._surface
    templates = {route.template for route in surface.within.values()}
    templates |= {route.template for route in surface.prefixes.values()}
    for path in set(DOCUMENT["paths"]) - TYPED:
        assert path in templates or surface.route_of(path) is not None, path


def test_what_bentoml_answers_is_described_or_excepted(service: FrontService) -> None:
    pages, apis = passed_on(service.worker.native, DEFINITIONS)
    assert apis.keys() == TYPED
    assert apis.keys() <= set(DOCUMENT["paths"])
    assert pages == set(EXCEPTIONS)
    assert set(EXCEPTIONS).isdisjoint(DOCUMENT["paths"])


def test_who_may_ask_is_described(service: FrontService) -> None:
    surface = service.worker.front._surface
    by_template = {route.template: route for route in surface.routes.values()}
    for path, _, operation in operations():
        route = surface.routes.get(path) or by_template.get(path) or surface.route_of(path)
        security = operation["security"]
        assert (security == [] or {} in security) == (route is not None and route.open), path
        scopes = {scope for each in security for scope in each.get("oauth2", ())}
        if route is not None and route.scope is not None:
            assert scopes == {route.scope}, path


def test_every_way_to_prove_who_asks_is_described() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "oauth2", "client"}
    for flow in schemes["oauth2"]["flows"].values():
        assert flow["tokenUrl"] in DOCUMENT["paths"]
        assert {"predict", "read", "feedback", "admin", "predict:iris"} <= set(flow["scopes"])
    known = set(schemes["oauth2"]["flows"]["password"]["scopes"])
    for _, _, operation in operations():
        for needed in operation["security"]:
            assert needed.keys() <= schemes.keys()
            assert set(needed.get("oauth2", ())) <= known


def test_where_others_issue_all_tokens_no_way_to_get_one_is_described() -> None:
    document = openapi_document(DEFINITIONS, issues_tokens=False)
    validate(document)
    assert set(document["paths"]).isdisjoint(ISSUING)
    assert set(document["components"]["securitySchemes"]) == {"bearer"}
    assert "oauth2" not in json.dumps(document["paths"])
    assert "/auth/sessions/{id}" in document["paths"]


def test_metrics_are_described_where_they_are_served() -> None:
    assert "/metrics" in DOCUMENT["paths"]
    assert "/metrics" not in openapi_document(DEFINITIONS, public_metrics=False)["paths"]


def test_an_operation_has_a_name_a_summary_and_a_tag() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for path, _, operation in operations():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", operation["operationId"]), path
        assert operation["summary"].endswith("."), path
        assert len(operation["tags"]) == 1, path


def test_an_answer_says_what_it_is_and_carries_the_requests_id() -> None:
    for path, _, operation in operations():
        for response in operation["responses"].values():
            assert response["description"], path
            assert response["headers"]["X-Request-ID"]["required"], path
            assert response["content"], path


def test_an_operation_names_the_problems_that_it_can_have() -> None:
    for path, method, operation in operations():
        statuses = {int(status) for status in operation["responses"]}
        assert 500 in statuses, path
        assert 405 not in statuses, path
        has_body = "requestBody" in operation
        assert ({400, 406, 408, 413, 415} <= statuses) == has_body, path
        assert has_body or method != "post" or path == "/auth/logout", path
        assert (401 in statuses) or operation["security"] == [], path


def test_every_kind_of_problem_is_met_somewhere() -> None:
    met = {
        code
        for _, _, operation in operations()
        for response in operation["responses"].values()
        for content in response["content"].values()
        for code in content["schema"].get("properties", {}).get("code", {}).get("enum", ())
    }
    elsewhere = {
        "method-not-allowed": "the answer to methods that are not described",
        "not-found": "the answer to addresses that are not described",
        "model-not-found": "the answer to models that are not described",
        "version-not-loaded": "only protocols that name a version can meet it",
        "target-too-long": "a connection answers it, before there is a route",
        "headers-too-large": "the same",
        "client-gone": "nobody is there to read it",
        "draining": "kept for clients: a draining replica answers what still reaches it",
    }
    assert set(problem_types()) - met <= set(elsewhere)


def test_a_problem_of_several_kinds_names_them_all() -> None:
    from modelkit.errors import AmbiguousModel, InvalidRequest

    (content,) = problems_of(InvalidRequest, AmbiguousModel)["400"]["content"].values()
    assert content["schema"]["properties"] == {
        "status": {"const": 400},
        "code": {"enum": ["ambiguous-model", "invalid-request"]},
    }


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    found = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert found == schemas


def test_answers_are_closed() -> None:
    for path, _, operation in operations():
        for response in operation["responses"].values():
            for content in response["content"].values():
                schema = content["schema"]
                assert schema != {"type": "object"} or path == "/openapi.json", path
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if "properties" in schema:
            assert "additionalProperties" in schema, name


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_example_is_a_valid_request(name: str) -> None:
    for path in (f"/predict/{name}", f"/{api_name(CATALOG[name])}"):
        content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        assert len(content["examples"]) == len(CATALOG[name].examples)
        for example in content["examples"].values():
            CATALOG[name].request.model_validate_json(json.dumps(example["value"]))


def test_times_without_an_offset_are_described_as_such() -> None:
    for definition in DEFINITIONS:
        schema = DOCUMENT["components"]["schemas"][definition.request.__name__]
        assert "date-time" not in {node.get("format") for node in nodes(schema)}
