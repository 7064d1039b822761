"""Servables: whole and fitting, or refused with the first thing that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from catalog.food_delivery.definition import DEFINITION as FOOD
from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import ContractMismatch, CorruptServable
from modelkit.runtime import CompiledModel
from modelkit.servable import (
    CARD,
    CONTRACT,
    FILES,
    MANIFEST,
    MODEL,
    REFERENCE,
    load_servable,
    servable_digest,
    verify_files,
)
from tests.tiny_servables import loaded_tiny, tiny_graph, write_tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tiny(IRIS, tmp_path / "servable")
    return tmp_path / "servable"


def test_what_was_written_is_loaded(folder: Path) -> None:
    servable = load_servable(folder, IRIS, digest=servable_digest(folder))
    assert servable.contract.classes == list(IRIS.classes)
    assert servable.card.model == "iris"
    assert servable.digest == servable_digest(folder)


def test_the_same_model_written_twice_has_one_digest_and_another_model_another(tmp_path: Path) -> None:
    digests = [
        write_tiny(IRIS, tmp_path / str(place), bias=bias) for place, bias in enumerate((0.0, 0.0, 1.0))
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("name", [MODEL, CONTRACT, REFERENCE, CARD, MANIFEST])
@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "missing", "a folder"])
def test_every_damage_to_every_file_is_noticed(folder: Path, name: str, damage: str) -> None:
    digest = servable_digest(folder)
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "missing":
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"changed": flipped, "cut": content[:-1], "empty": b""}[damage])
    with pytest.raises(CorruptServable):
        verify_files(folder, digest=digest)


@pytest.mark.parametrize("name", ["model.pkl", ".hidden", "notes.txt", "model.onnx.bak"])
def test_a_file_too_many_is_noticed(folder: Path, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(CorruptServable, match="exactly the files"):
        verify_files(folder)


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {name: "0" * 64 for name in FILES},
        {**{name: "0" * 64 for name in FILES}, "../../etc/passwd": "0" * 64},
        {name: 7 for name in FILES},
        [],
    ],
)
def test_a_manifest_that_says_something_else_is_noticed(folder: Path, manifest: Any) -> None:
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(CorruptServable):
        verify_files(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model": "iris2"}, "model"),
        ({"task": "regression"}, "task"),
        ({"units": "cm"}, "units"),
        ({"schema_digest": "0"}, "request schema"),
        ({"feature_columns": ["petal_width"]}, "feature columns"),
        ({"classes": ["a", "b", "c"]}, "classes"),
        ({"golden_rows": []}, "no golden rows"),
        ({"golden_rows": [{"sepal_length": 1}]}, "no longer a valid request"),
        ({"golden_outputs": []}, "other outputs"),
        ({"golden_outputs": [[0.0, 0.0, 1.0]] * 3}, "other outputs"),
        ({"golden_outputs": [[1.0]] * 3}, "other outputs"),
    ],
)
def test_a_contract_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    write_tiny(IRIS, tmp_path / "servable", **change)
    with pytest.raises(ContractMismatch, match=named):
        load_servable(tmp_path / "servable", IRIS)


def test_other_feature_code_with_the_same_answers_still_fits(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "servable", feature_code_digest="of an older commit")
    load_servable(tmp_path / "servable", IRIS)


def test_a_version_of_another_model_is_refused(folder: Path) -> None:
    with pytest.raises(ContractMismatch):
        load_servable(folder, FOOD)


@pytest.mark.parametrize("graph", [b"", b"\x00" * 100, tiny_graph(IRIS)[:-20]])
def test_a_graph_that_cannot_be_loaded_is_corrupt(graph: bytes) -> None:
    with pytest.raises(CorruptServable):
        CompiledModel(graph)


def test_a_batch_answers_bit_for_bit_what_its_rows_answer_alone(tmp_path: Path) -> None:
    model = loaded_tiny(FOOD, tmp_path)
    rows = [
        model.reader.from_object({**FOOD.examples[place % 3], "rider_age": 18 + place}) for place in range(64)
    ]
    assert model.predict(rows) == [model.predict([row])[0] for row in rows]


def test_a_regressor_answers_one_number_and_a_classifier_one_share_per_class(tmp_path: Path) -> None:
    compiled = CompiledModel(tiny_graph(FOOD))
    matrix = np.full((3, len(FOOD.feature_columns)), np.nan, dtype=np.float32)
    assert compiled.run(matrix).shape == (3, 1)
    shares = CompiledModel(tiny_graph(IRIS)).run(np.ones((3, 4), dtype=np.float32))
    assert shares.shape == (3, 3)
    assert shares.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
