"""A trial says of every check what was found, and fails when one of them did."""

from __future__ import annotations

from pathlib import Path

from deploy.image.expectation import expected_answer
from deploy.image.sample_model import MODEL
from deploy.image.trial import Report
from modelkit.definition import load_catalog
from serving.loaded_model import load_model
from tests.tiny_servables import write_tiny


def test_a_difference_is_shown_with_what_was_expected() -> None:
    report = Report(image="slipway:1")
    report.equal("status", 500, 200)
    assert [check.found for check in report.failures] == ["500, expected 200"]


def test_the_table_counts_what_passed() -> None:
    report = Report(image="slipway:1")
    report.equal("status", 200, 200)
    report.note("stops", "exit code 137", passed=False)
    assert report.table().splitlines() == [
        "slipway:1: 1 of 2 checks passed",
        "  ok    status  200",
        "  FAIL  stops   exit code 137",
    ]


def test_what_is_expected_is_what_the_service_computes(tmp_path: Path) -> None:
    definition = load_catalog()[MODEL]
    write_tiny(definition, tmp_path / MODEL)
    expected = expected_answer(tmp_path / MODEL)
    model = load_model(tmp_path / MODEL, definition, version="1")
    outcome = model.predict([model.rows.from_object(dict(expected.payload))])[0]
    assert (expected.path, expected.numbers["prediction"]) == ("/delivery_time", outcome.prediction)
