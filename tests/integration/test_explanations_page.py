"""What docs/explanations.md prints is what the service takes and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.explain.settings import ExplanationSettings
from serving.http.openapi_explain import explain_schemas
from tests.architecture.source_tree import ROOT
from tests.front_service import CATALOG, FrontService

PAGE = (ROOT / "docs" / "explanations.md").read_text(encoding="utf-8")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FrontService]:
    service = FrontService(tmp_path, models="iris", request_timeout_seconds=60)
    yield service
    service.close()


def printed(kind: str) -> list[Any]:
    return [json.loads(text) for text in re.findall(rf"{kind}(\{{.*?\}})\n?(?:```|')", PAGE, flags=re.DOTALL)]


def test_the_answer_has_the_members_that_are_printed(service: FrontService) -> None:
    (body,) = printed("-d '")
    answer = printed("```json\n")[0]
    found = service.predict(body, "/explain/iris").json()
    assert (
        set(found) == set(answer) == set(explain_schemas([CATALOG["iris"]])["IrisExplanation"]["properties"])
    )
    assert set(found["contributions"]) == set(answer["contributions"])
    total = answer["base_value"] + sum(answer["contributions"].values())
    assert total == pytest.approx(answer["value"], abs=0.01)


def test_many_rows_are_sent_as_printed(service: FrontService) -> None:
    body = printed("```json\n")[1]
    found = service.predict(body, "/explain/iris").json()
    assert [each is None for each in found["explanations"]] == [False, True]
    assert [error["row"] for error in found["errors"]] == [1]


def test_every_setting_and_method_that_is_printed_exists() -> None:
    settings = {name.upper() for name in ExplanationSettings.model_fields}
    assert set(re.findall(r"`(EXPLAIN_[A-Z_]+)", PAGE)) <= settings
    methods = explain_schemas([CATALOG["iris"]])["IrisExplanation"]["properties"]["method"]["enum"]
    heading, *rows = re.findall(r"^\| `(\w+)` \| ", PAGE, flags=re.MULTILINE)
    assert (heading, rows) == ("method", methods)
