"""Data validation says what is wrong with raw files and prepared rows, each check able to fail."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from catalog.food_delivery.definition import DEFINITION
from modelkit.definition import ModelDefinition, load_catalog
from training.data.raw_data import write_raw
from training.errors import DataInvalid
from training.layout import Layout
from training.params import read_params
from training.recipes import recipe_of
from training.stages.prepare import prepare
from training.validation.findings import Finding
from training.validation.prepared import check_rows
from training.validation.raw import check_raw
from training.validation.report import refuse_failures, write_report

FILE = "orders.csv.gz"
SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(str, unique=True),
        "minutes": pa.Column(float, pa.Check.in_range(5, 120), metadata={"tolerated": 0.2}),
        "city": pa.Column(str, pa.Check.isin(["Pune", "Goa"]), nullable=True),
        "ordered_at": pa.Column("datetime64[ns]"),
    }
)
CLEAN = pd.DataFrame(
    {
        "id": list("abcdefghij"),
        "minutes": ["10", "20.5", *["30"] * 8],
        "city": ["Pune", ""] * 5,
        "ordered_at": ["2022-03-01 12:00:00"] * 10,
    }
)


def failures(folder: Path, frame: pd.DataFrame) -> list[tuple[str, str]]:
    (folder / FILE).write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    found = check_raw(folder, {FILE: SCHEMA})
    return [(item.subject.removeprefix(f"{FILE}, "), item.check) for item in found if not item.passed]


def test_a_file_as_expected_passes(tmp_path: Path) -> None:
    assert failures(tmp_path, CLEAN) == []


def test_usual_dirt_is_counted_and_tolerated(tmp_path: Path) -> None:
    dirty = CLEAN.assign(minutes=["999", "NaN ", *["30"] * 8])
    assert failures(tmp_path, dirty) == []
    counted = {item.check: item.failed for item in check_raw(tmp_path, {FILE: SCHEMA}) if item.failed}
    assert counted == {"in range(5, 120)": 1, "is there": 1}


@pytest.mark.parametrize(
    ("column", "values", "failure"),
    [
        ("minutes", ["999"] * 3 + ["30"] * 7, ("minutes", "in range(5, 120)")),
        ("minutes", ["soon"] * 3 + ["30"] * 7, ("minutes", "is a number")),
        ("city", ["Atlantis"] + ["Goa"] * 9, ("city", "isin(['Pune', 'Goa'])")),
        ("ordered_at", ["yesterday"] + ["2022-03-01"] * 9, ("ordered_at", "is a time")),
        ("id", ["a"] * 2 + list("cdefghij"), ("id", "is unique")),
    ],
)
def test_dirt_beyond_tolerance_fails(
    column: str, values: list[str], failure: tuple[str, str], tmp_path: Path
) -> None:
    assert failure in failures(tmp_path, CLEAN.assign(**{column: values}))


def test_a_missing_column_fails_and_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(gzip.compress(CLEAN.drop(columns="city").to_csv(index=False).encode()))
    (found,) = [item for item in check_raw(tmp_path, {FILE: SCHEMA}) if not item.passed]
    assert (found.check, found.example) == ("has every column", "city")


def test_a_file_without_rows_fails(tmp_path: Path) -> None:
    assert (FILE, "has rows") in failures(tmp_path, CLEAN.head(0))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="cannot be read"):
        check_raw(tmp_path, {FILE: SCHEMA})


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    layout = Layout(model=DEFINITION.name, root=tmp_path_factory.mktemp("food"))
    write_raw(DEFINITION, layout, source=None)
    prepared, _ = recipe_of(DEFINITION).prepare(layout.raw, read_params(DEFINITION.name).prepare)
    return prepared


def leaking(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(rider_age=rows["label"] + 20)


def leaking_bent(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(rider_age=np.exp(rows["label"] / 4))


def leaking_blurred(rows: pd.DataFrame) -> pd.DataFrame:
    noise = np.random.default_rng(0).normal(0, 0.05 * rows["label"].std(), len(rows))
    return rows.assign(rider_age=rows["label"] + noise)


def leaking_as_text(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(city=(rows["label"] // 2).map("zone {:.0f}".format))


def out_of_order(rows: pd.DataFrame) -> pd.DataFrame:
    early = rows["time"] == rows["time"].min()
    return rows.assign(split=rows["split"].mask(early, "valid"))


def trained_on_test_rows(rows: pd.DataFrame) -> pd.DataFrame:
    copies = rows[rows["split"] == "test"].sample(frac=0.1, random_state=0).assign(split="train")
    return pd.concat([rows, copies], ignore_index=True)


def known_too_early(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(known_at=rows["known_at"] - pd.Timedelta(days=1))


def without_labels(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(label=np.nan)


def without_validation(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["split"] != "valid"]


def failed_checks(found: list[Finding]) -> set[str]:
    return {f"{item.subject} {item.check}" for item in found if not item.passed}


def test_prepared_rows_as_they_should_be_pass(rows: pd.DataFrame) -> None:
    assert failed_checks(check_rows(DEFINITION, rows)) == set()


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (leaking, "rider_age does not repeat the label"),
        (leaking_bent, "rider_age does not repeat the label"),
        (leaking_blurred, "rider_age does not repeat the label"),
        (leaking_as_text, "city does not repeat the label"),
        (out_of_order, "split train ends before valid begins"),
        (trained_on_test_rows, "split test shares no row with the others"),
        (known_too_early, "known_at is not before the row's time"),
        (without_labels, "label is there"),
        (without_validation, "split has rows"),
    ],
)
def test_what_would_make_an_evaluation_untrue_fails(
    spoil: Callable[[pd.DataFrame], pd.DataFrame], check: str, rows: pd.DataFrame
) -> None:
    assert check in failed_checks(check_rows(DEFINITION, spoil(rows)))


def test_a_failed_check_stops_with_a_sentence_and_leaves_the_page(rows: pd.DataFrame, tmp_path: Path) -> None:
    layout = Layout(model=DEFINITION.name, root=tmp_path)
    findings = check_rows(DEFINITION, leaking(rows))
    write_report(DEFINITION, layout, findings, rows)
    with pytest.raises(DataInvalid, match="rider_age: does not repeat the label"):
        refuse_failures(DEFINITION, layout, findings)
    page = layout.validation.with_suffix(".md").read_text()
    assert "| FAILED | rider_age | does not repeat the label |" in page
    assert "| label | 0.0% |" in page


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"sepal_length,species\n5.1,setosa\n"), "has every column"),
        (gzip.compress(b"sepal_length,species\n" * 999)[:40], "cannot be read"),
        (b"no gzip", "cannot be read"),
    ],
    ids=["columns missing", "cut off", "no gzip"],
)
def test_raw_files_that_no_recipe_can_read_are_refused_before_it_tries(
    content: bytes, said: str, tmp_path: Path
) -> None:
    iris = load_catalog()["iris"]
    layout = Layout(model="iris", root=tmp_path)
    write_raw(iris, layout, source=None)
    (layout.raw / "iris.csv.gz").write_bytes(content)
    with pytest.raises(DataInvalid, match=said):
        prepare(iris, read_params("iris"), layout)
    assert layout.validation.with_suffix(".md").exists() is (said == "has every column")


@pytest.mark.parametrize("definition", load_catalog().values(), ids=lambda definition: definition.name)
def test_the_synthetic_data_of_every_model_passes_and_every_file_has_a_schema(
    definition: ModelDefinition, tmp_path: Path
) -> None:
    layout = Layout(model=definition.name, root=tmp_path)
    write_raw(definition, layout, source=None)
    prepare(definition, read_params(definition.name), layout)
    recipe = recipe_of(definition)
    assert set(recipe.RAW_SCHEMAS) == set(recipe.RAW_FILES)
    poisoned_columns_are_found(definition, pd.read_parquet(layout.rows))


def poisoned_columns_are_found(definition: ModelDefinition, rows: pd.DataFrame) -> None:
    """Every numeric column of every model, one at a time, turned into its label."""
    places = {name: place for place, name in enumerate(definition.classes)}
    label = rows["label"].map(places) if places else rows["label"]
    numeric = [name for name in definition.row.model_fields if pd.api.types.is_numeric_dtype(rows[name])]
    assert numeric
    poisoned = rows.assign(**dict.fromkeys(numeric, label.astype("float64") * 2 + 1))
    found = failed_checks(check_rows(definition, poisoned))
    assert {f"{name} does not repeat the label" for name in numeric} <= found
