"""`python -m training batch` as its users meet it: a table in, the same table with the served answers out."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.food_delivery.definition import DEFINITION
from catalog.iris.definition import DEFINITION as IRIS
from serving.loaded_model import LoadedModel, load_model
from tests.batch_tables import write_deliveries
from tests.integration.test_training_cli import training
from tests.s3_server import S3Server
from tests.tiny_servables import write_tiny

ROWS, BAD = 120, (3, 77)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """The version as serving loads it."""
    folder = tmp_path_factory.mktemp("servable")
    write_tiny(DEFINITION, folder)
    return load_model(folder, DEFINITION, version="")


@pytest.fixture(scope="module")
def servable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch") / "servable"
    write_tiny(DEFINITION, folder)
    return folder


def served(model: LoadedModel, rows: list[dict[str, Any]]) -> list[float]:
    """What the service answers to the rows that it does not refuse."""
    fields = model.definition.request.model_fields
    bodies = [
        {name: row[name] for name in fields if row[name] is not None}
        for number, row in enumerate(rows)
        if number not in BAD
    ]
    outcomes = model.predict([model.reader.from_object(body) for body in bodies])
    return [outcome.number for outcome in outcomes if outcome.number is not None]


def read_table(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(content.decode().splitlines()))


@pytest.mark.parametrize(
    ("source", "target"),
    [(".csv", ".csv"), (".parquet", ".parquet"), (".csv.gz", ".parquet"), (".parquet", ".csv.gz")],
)
def test_every_row_is_answered_as_the_service_answers_it(
    tmp_path: Path, servable: Path, model: LoadedModel, source: str, target: str
) -> None:
    rows = write_deliveries(tmp_path / f"in{source}", ROWS, bad=BAD)
    output = tmp_path / f"out{target}"
    usual = ["--servable", str(servable), "--chunk-rows", "50", "--workers", "2"]
    done = training(tmp_path, "batch", DEFINITION.name, f"in{source}", output.name, *usual)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{ROWS} rows; {ROWS - len(BAD)} answered, {len(BAD)} rejected" in done.stdout
    found = read_table(output)
    assert [float(row["prediction"]) for row in found] == served(model, rows)
    assert [row["order"] for row in found] == [
        row["order"] for number, row in enumerate(rows) if number not in BAD
    ]
    assert list(found[0]) == [*rows[0], "prediction", "model_version"]
    refused = [
        json.loads(line) for line in (tmp_path / f"out{target}.rejected.jsonl").read_text().splitlines()
    ]
    assert [(item["row"], item["code"], item["errors"][0]["pointer"]) for item in refused] == [
        (number, "invalid-request", "/vehicle_condition") for number in BAD
    ]


def test_cells_are_kept_as_they_were(tmp_path: Path, servable: Path) -> None:
    head = "note,city,rider_age\n"
    (tmp_path / "in.csv").write_text(head + '"a ""b"", c\nd",urban,030.50\n,urban,\n')
    done = training(tmp_path, "batch", DEFINITION.name, "in.csv", "out.csv", "--servable", str(servable))
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out.csv").open(newline="") as file:
        found = [list(row.values())[:3] for row in csv.DictReader(file)]
    assert found == [['a "b", c\nd', "urban", "030.50"], ["", "urban", ""]]


def test_a_cell_is_quoted_for_itself_and_not_for_its_neighbours(tmp_path: Path, servable: Path) -> None:
    lines = ["note,city,rider_age", "plain,urban,30", '"a ""b"", c",urban,31', "plain,urban,32"]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    outputs = []
    for rows in ("1", "3"):
        target = f"out{rows}.csv"
        options = ["--servable", str(servable), "--chunk-rows", rows]
        done = training(tmp_path, "batch", DEFINITION.name, "in.csv", target, *options)
        assert done.returncode == 0, done.stderr
        outputs.append((tmp_path / target).read_text())
    assert outputs[0] == outputs[1]
    assert all(found.startswith(line) for found, line in zip(outputs[0].splitlines(), lines, strict=True))


def test_a_classifier_gives_its_class_and_a_probability_of_each(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "servable")
    pq.write_table(
        pa.Table.from_pylist([dict(example) for example in IRIS.examples]), tmp_path / "in.parquet"
    )
    done = training(tmp_path, "batch", "iris", "in.parquet", "out.csv", "--servable", "servable")
    assert done.returncode == 0, done.stderr
    model = load_model(tmp_path / "servable", IRIS, version="")
    expected = model.predict([model.reader.from_object(dict(example)) for example in IRIS.examples])
    for row, outcome in zip(read_table(tmp_path / "out.csv"), expected, strict=True):
        assert row["prediction"] == outcome.prediction
        assert {name: float(row[f"probability_{name}"]) for name in IRIS.classes} == outcome.probabilities


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "cannot be read"),
        ("sepal_length,sepal_width\n1,2\n", "the input has no column petal_length, petal_width"),
        ("sepal_length,sepal_length\n1,2\n", "two columns of the same name"),
        ("sepal_length,sepal_width,petal_length,petal_width,prediction\n1,1,1,1,1\n", "prediction already"),
        ("sepal_length,sepal_width,petal_length,petal_width\n1,1,1\n", "cannot be read"),
        (
            "sepal_length,sepal_width,petal_length,petal_width\n0,1,1,NaN\n",
            "none of 1 rows could be answered",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path, content: str | None, said: str) -> None:
    write_tiny(IRIS, tmp_path / "servable")
    if content is not None:
        (tmp_path / "in.csv").write_text(content)
    done = training(tmp_path, "batch", "iris", "in.csv", "out.csv", "--servable", "servable")
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_answers_never_replace_the_questions(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "servable")
    questions = "sepal_length,sepal_width,petal_length,petal_width\n1,1,1,1\n"
    (tmp_path / "in.csv").write_text(questions)
    (tmp_path / "link.csv").symlink_to("in.csv")
    for output in ("in.csv", "./in.csv", "link.csv"):
        done = training(tmp_path, "batch", "iris", "in.csv", output, "--servable", "servable")
        assert (done.returncode, "OUTPUT is INPUT" in done.stderr) == (1, True)
    assert (tmp_path / "in.csv").read_text() == questions


def test_an_unfinished_run_of_something_else_is_not_gone_on_with(tmp_path: Path, servable: Path) -> None:
    write_deliveries(tmp_path / "in.csv", 5)
    parts = tmp_path / "out.csv.parts"
    parts.mkdir()
    (parts / "plan.json").write_text("{}")
    arguments = ("batch", DEFINITION.name, "in.csv", "out.csv", "--servable", str(servable))
    refused = training(tmp_path, *arguments)
    assert refused.returncode == 1
    assert "drop it with --restart" in refused.stderr
    assert training(tmp_path, *arguments, "--restart").returncode == 0
    assert not parts.exists()


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    server = S3Server(tmp_path)
    yield server
    server.stop()


def test_a_table_in_a_bucket_is_answered_into_the_bucket(
    tmp_path: Path, s3: S3Server, servable: Path, model: LoadedModel
) -> None:
    client = s3.client()
    client.create_bucket(Bucket="deliveries")
    rows = write_deliveries(tmp_path / "in.csv", ROWS, bad=BAD)
    client.upload_file(str(tmp_path / "in.csv"), "deliveries", "march/in.csv")
    usual = ["--servable", str(servable), "--chunk-rows", "50"]
    addresses = ["s3://deliveries/march/in.csv", "s3://deliveries/march/out.parquet"]
    done = training(tmp_path, "batch", DEFINITION.name, *addresses, *usual, **s3.variables)
    assert (done.returncode, done.stderr) == (0, "")
    kept = client.list_objects_v2(Bucket="deliveries")["Contents"]
    assert [item["Key"] for item in kept] == [
        "march/in.csv",
        "march/out.parquet",
        "march/out.parquet.rejected.jsonl",
    ]
    client.download_file("deliveries", "march/out.parquet", str(tmp_path / "out.parquet"))
    assert [row["prediction"] for row in read_table(tmp_path / "out.parquet")] == served(model, rows)


def test_a_bucket_that_is_not_there_is_said_in_one_line(tmp_path: Path, s3: S3Server, servable: Path) -> None:
    done = training(
        tmp_path,
        "batch",
        "iris",
        "s3://nobody/in.csv",
        "out.csv",
        "--servable",
        str(servable),
        **s3.variables,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("batch: s3://nobody/in.csv cannot be read")


@pytest.mark.timeout(300)
def test_ray_gives_the_bytes_of_one_machine(tmp_path: Path, servable: Path) -> None:
    write_deliveries(tmp_path / "in.csv", ROWS, bad=BAD)
    for engine in ("local", "ray"):
        usual = ["--servable", str(servable), "--chunk-rows", "50", "--workers", "1", "--engine", engine]
        done = training(tmp_path, "batch", DEFINITION.name, "in.csv", f"{engine}.csv", *usual)
        assert (done.returncode, done.stderr) == (0, "")
    for suffix in ("", ".rejected.jsonl"):
        ours, theirs = (tmp_path / f"{engine}.csv{suffix}" for engine in ("local", "ray"))
        assert ours.read_bytes() == theirs.read_bytes()
