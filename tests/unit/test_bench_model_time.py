"""The bench finds what is trained, and says what this tree cannot load. How long anything takes is no test's business."""

from __future__ import annotations

from pathlib import Path

from bench.model_time import measure_model_times
from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import MODEL
from tests.tiny_servables import write_tiny


def test_every_trained_model_is_measured_and_no_other(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "iris" / "servable")
    write_tiny(IRIS, tmp_path / "a-model-of-another-tree" / "servable")
    (found,) = measure_model_times(tmp_path, repeats=10)
    assert (found.model, found.repeats) == ("iris", 10)
    assert found.p50_ms
    assert found.p95_ms


def test_without_a_trained_model_nothing_is_measured(tmp_path: Path) -> None:
    assert measure_model_times(tmp_path, repeats=10) == []


def test_a_damaged_servable_is_named_and_not_measured(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "iris" / "servable")
    (tmp_path / "iris" / "servable" / MODEL).write_bytes(b"")
    (found,) = measure_model_times(tmp_path, repeats=10)
    assert (found.model, found.p50_ms, found.p95_ms) == ("iris", None, None)
    assert found.absent
    assert found.absent.endswith("run `make train`")
