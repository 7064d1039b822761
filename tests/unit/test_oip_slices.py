"""Tensors of many rows are read and written in slices, so that whoever asks for one row does not wait for all of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from modelkit.definition import load_catalog
from modelkit.errors import InvalidRequest
from modelkit.fingerprint import canonical
from serving.http.request_rows import Limits
from serving.inference import Answered
from serving.loaded_model import LoadedModel
from serving.oip.reading import EXPLAINED_ROWS, SLICE_ELEMENTS, rows_of
from serving.oip.tensors import Tensor
from serving.oip.writing import SLICE_ROWS, outputs_in_slices, outputs_of
from serving.outcome import Outcome
from serving.predictor import Answer
from serving.requested_rows import RequestRows
from serving.turns import Turns, at_once
from tests.fakes.counted_turns import CountedTurns
from tests.oip_tensors import tensors_of
from tests.tiny_servables import loaded_tiny

CATALOG = load_catalog()
LIMITS = Limits(max_json_depth=16, max_instances=5000)
ROWS = 3000


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(CATALOG["iris"], tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(CATALOG["order-delivery"], tmp_path_factory.mktemp("orders"))


def flowers(count: int) -> list[dict[str, Any]]:
    example = dict(CATALOG["iris"].examples[0])
    return [{**example, "sepal_length": 1.0 + place / 1000} for place in range(count)]


def read(model: LoadedModel, tensors: Any, turns: Turns) -> RequestRows:
    async def waited() -> RequestRows:
        found = rows_of(model, tensors, LIMITS, turns)
        return found if isinstance(found, RequestRows) else await found

    return asyncio.run(waited())


def matrix(rows: list[dict[str, Any]], *, nested: bool) -> list[Tensor]:
    values = [list(row.values()) for row in rows]
    data: list[Any] = values if nested else [value for row in values for value in row]
    return [Tensor("predict", "FP64", (len(rows), len(rows[0])), data)]


@pytest.mark.parametrize("form", ["columns", "iterator", "flat matrix", "nested matrix", "nested columns"])
def test_many_rows_are_read_in_slices_and_are_the_same_rows(iris: LoadedModel, form: str) -> None:
    rows, turns = flowers(ROWS), CountedTurns()
    columns = tensors_of(iris.definition, rows)
    tensors = {
        "columns": columns,
        "iterator": iter(columns),
        "flat matrix": matrix(rows, nested=False),
        "nested matrix": matrix(rows, nested=True),
        "nested columns": [
            Tensor(each.name, each.datatype, (ROWS, 1), [[value] for value in each.data]) for each in columns
        ],
    }[form]
    request = read(iris, tensors, turns)
    assert turns.slices >= ROWS * len(columns) / SLICE_ELEMENTS
    assert [canonical(row) for row in request.rows] == [
        canonical(iris.reader.from_object(row)) for row in rows
    ]


def test_few_rows_need_no_turns(iris: LoadedModel) -> None:
    turns = CountedTurns()
    assert isinstance(rows_of(iris, tensors_of(iris.definition, flowers(32)), LIMITS, turns), RequestRows)
    assert turns.slices == 0


def test_rows_that_pydantic_has_to_read_are_few_in_a_slice(orders: LoadedModel) -> None:
    example = {name: value for name, value in orders.definition.examples[0].items() if value is not None}
    short = {
        name: value[:-3] if isinstance(value, str) and "T" in value else value
        for name, value in example.items()
    }
    assert short != example  # times without their seconds
    turns = CountedTurns()
    request = read(orders, tensors_of(orders.definition, [short] * 600), turns)
    assert request.size == 600
    assert turns.slices >= 600 / EXPLAINED_ROWS


@pytest.mark.parametrize("place", [0, 1500, 2999])
@pytest.mark.parametrize("wrong", [-1.0, None, "wide"])
def test_what_is_wrong_is_found_in_every_slice(iris: LoadedModel, place: int, wrong: Any) -> None:
    rows = flowers(ROWS)
    rows[place]["petal_width"] = wrong
    with pytest.raises(InvalidRequest) as refused:
        read(iris, tensors_of(iris.definition, rows), CountedTurns())
    assert [(each.pointer, each.row) for each in refused.value.errors] == [(f"/inputs/3/data/{place}", place)]


def test_things_that_are_wrong_in_several_slices_are_told_together(iris: LoadedModel) -> None:
    rows = flowers(ROWS)
    rows[1]["petal_width"], rows[2000]["sepal_width"] = -1.0, None
    with pytest.raises(InvalidRequest) as refused:
        read(iris, tensors_of(iris.definition, rows), CountedTurns())
    assert [each.row for each in refused.value.errors] == [1, 2000]


def test_many_answers_are_written_in_slices_and_are_the_same(iris: LoadedModel, tmp_path: Path) -> None:
    kinds = iris.definition.classes
    shares = {name: 1.0 / len(kinds) for name in kinds}
    answers = [
        Answer(Outcome(kinds[place % len(kinds)], probabilities=shares), f"id-{place}", False)
        for place in range(ROWS)
    ]
    answered = Answered(iris, RequestRows([], [], ROWS, True, []), answers)
    writing = outputs_in_slices(answered, None)
    slices = sum(1 for _ in writing)
    assert slices >= 3 * ROWS / SLICE_ROWS
    assert at_once(outputs_in_slices(answered, None)) == outputs_of(answered, None)
