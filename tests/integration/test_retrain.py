"""Retraining: a judged candidate or nothing, never anything that serves; safe to repeat, to interrupt and to overlap."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.gates import Gate
from records.engine import open_engine
from records.ledger import history
from tests.stage_runs import STAGES, small_params
from training.data.raw_data import write_raw
from training.errors import RecordsFailed, RetrainedVersionRefused, RetrainingFailed, RetrainingRuns
from training.layout import Layout
from training.promotion.alias_ledger import Move
from training.promotion.judging import Rules
from training.promotion.move_lock import one_retraining_at_a_time
from training.promotion.promote import Promoter
from training.registry import Registry
from training.retraining.drift_signal import Drift, read_drift
from training.retraining.retrain import Order, Retraining
from training.version import CANDIDATE, PRODUCTION, STAGING

IRIS = load_catalog()["iris"]
ORDER = Order(actor="cron", reason="nightly")
IMPOSSIBLE = dataclasses.replace(
    IRIS, gates=(Gate(name="accuracy", metric="overall.accuracy", at_least=1.5),)
)

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


class StageRuns:
    """Pipeline: the stages in this process, on synthetic raw data without its first `left_out` rows."""

    def __init__(self, definition: ModelDefinition, root: Path) -> None:
        self.layout = Layout(model=definition.name, root=root)
        self.params = small_params(definition)
        self.left_out = 0
        self.trained = 0
        self._definition = definition
        write_raw(definition, self.layout, source=None)
        self._raw = self.layout.raw / "iris.csv.gz"
        self._lines = gzip.decompress(self._raw.read_bytes()).splitlines(keepends=True)

    def fetch(self) -> None:
        rows = [self._lines[0], *self._lines[1 + self.left_out :]]
        self._raw.write_bytes(gzip.compress(b"".join(rows), mtime=0))

    def prepare(self) -> None:
        STAGES[0](self._definition, self.params, self.layout)

    def train(self) -> None:
        self.trained += 1
        for stage in STAGES[1:]:
            stage(self._definition, self.params, self.layout)


@dataclasses.dataclass(frozen=True)
class Night:
    """What a CronJob works with."""

    uri: str
    ledger: Engine
    pipeline: StageRuns
    reports: Path

    @property
    def registry(self) -> Registry:
        return Registry(self.uri)

    def retrain(
        self, definition: ModelDefinition = IRIS, *, order: Order = ORDER, log: Engine | None = None
    ) -> str:
        retraining = Retraining(
            definition, self.registry, self.ledger, self.pipeline, rules=Rules(reports=self.reports, log=log)
        )
        return retraining.run(order, self.pipeline.params, self.pipeline.layout)

    def holder(self, alias: str) -> str | None:
        found = self.registry.by_alias(IRIS.registry_name, alias)
        return found.number if found else None

    def versions(self) -> list[str]:
        return [version.number for version in self.registry.versions(IRIS.registry_name)]


@pytest.fixture
def night(mlflow_uri: str, sqlite_url: str, tmp_path: Path) -> Iterator[Night]:
    ledger, pipeline = open_engine(sqlite_url), StageRuns(IRIS, tmp_path)
    with contextlib.chdir(tmp_path):
        yield Night(mlflow_uri, ledger, pipeline, tmp_path / "reports")
    ledger.dispose()


@pytest.mark.timeout(180)
def test_nights_of_a_model(night: Night) -> None:
    """The first model, a night without news, new data, data that give a bad model, and a night after that."""
    assert night.retrain().startswith("version 1 passed")
    assert (night.holder(CANDIDATE), night.holder(PRODUCTION)) == ("1", None)
    Promoter(IRIS, night.registry, night.ledger).promote(Move(alias=PRODUCTION, actor="ada", reason=""))

    said = night.retrain()
    assert said.startswith("nothing new: version 1 (")
    assert (night.versions(), night.pipeline.trained) == (["1"], 1)

    night.pipeline.left_out = 9
    assert night.retrain().startswith("version 2 passed")
    assert (night.holder(CANDIDATE), night.holder(PRODUCTION), night.holder(STAGING)) == ("2", "1", None)
    assert not night.registry.by_number(IRIS.registry_name, "2").approved
    newest, *_ = history(night.ledger, "iris")
    assert (newest.alias, newest.from_version, newest.to_version) == (CANDIDATE, "1", "2")
    assert (newest.action, newest.actor, newest.reason) == ("retrain", "cron", "nightly")
    report = json.loads((night.reports / "retrain-iris.json").read_text())
    assert (report["compared_with"], report["version"], report["verdict"]) == ("1", "2", "candidate")
    assert report["data"]["old"]["train rows"] > report["data"]["new"]["train rows"]
    assert report["data"]["old"]["hash"] != report["data"]["new"]["hash"]
    assert report["figures"]["overall.accuracy"]["old"] is not None
    assert report["figures"]["cross_validation.accuracy"]["old"] is not None
    assert "| `cross_validation.accuracy` |" in (night.reports / "retrain-iris.md").read_text()

    night.pipeline.left_out = 12
    with pytest.raises(RetrainedVersionRefused, match=r"version 3 is registered but no candidate: accuracy"):
        night.retrain(IMPOSSIBLE)
    assert (night.holder(CANDIDATE), night.holder(PRODUCTION)) == ("2", "1")
    assert "**FAILED**" in (night.reports / "retrain-iris.md").read_text()
    assert night.retrain(IMPOSSIBLE).endswith("which failed its gates")
    assert (night.versions(), night.holder(CANDIDATE)) == (["3", "2", "1"], "2")

    move = Move(alias=PRODUCTION, actor="ada", reason="")
    promoter = Promoter(IRIS, night.registry, night.ledger)
    promoter.promote(move)
    promoter.rollback(move)
    night.pipeline.left_out = 9
    assert "nothing new: version 2 was made of the same data" in (said := night.retrain())
    assert "which was withdrawn on " in said
    assert (night.holder(CANDIDATE), night.holder(PRODUCTION)) == (None, "1")


@pytest.mark.timeout(120)
def test_a_retraining_that_was_cut_short_is_gone_on_with_and_not_done_again(night: Night) -> None:
    away = open_engine("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(RecordsFailed, match="prediction log"):
        night.retrain(log=away)
    away.dispose()
    assert (night.holder(CANDIDATE), night.versions()) == (None, ["1"])
    assert night.retrain().startswith("version 1 passed")
    assert (night.holder(CANDIDATE), night.versions(), night.pipeline.trained) == ("1", ["1"], 1)


def test_of_two_at_once_the_second_says_so_and_does_nothing(engine: Engine, night: Night) -> None:
    both = dataclasses.replace(night, ledger=engine)
    with one_retraining_at_a_time(engine, "iris"):
        with pytest.raises(RetrainingRuns, match="another retraining of iris is at work") as busy:
            both.retrain()
        with one_retraining_at_a_time(engine, "food-delivery"):  # another model is another matter
            assert both.pipeline.trained == 0
    assert busy.value.exit_code == 75
    with one_retraining_at_a_time(engine, "iris"):
        assert both.versions() == []  # given back


@pytest.mark.timeout(180)
def test_without_drift_only_data_that_no_version_knows_are_trained_on(night: Night) -> None:
    """New files that a run fetched before it was cut short are as new to the next run."""
    calm = Order(actor="cron", only_if_drift=True, drift=Drift(columns={"sepal_length": 0.1}, limit=0.2))
    assert night.retrain(order=calm).startswith("version 1 passed")
    said = "nothing to do: a version has learned from these data, and no column drifted"
    assert night.retrain(order=calm) == said
    assert night.pipeline.trained == 1
    night.pipeline.left_out = 9
    night.pipeline.fetch()
    assert night.retrain(order=calm).startswith("version 2 passed")


def test_drift_is_named_worst_column_first(tmp_path: Path) -> None:
    path = tmp_path / "drift.json"
    path.write_text('{"columns": {"a": 0.25, "b": 0.1, "c": 0.9}}')
    assert read_drift(path, 0.2).sentence() == "2 of 3 columns drifted: c (0.9), a (0.25)"
    path.write_text('{"b": 0.1}')
    assert read_drift(path, 0.2).drifted == []
    path.write_text("[]")
    with pytest.raises(RetrainingFailed, match="is no drift report"):
        read_drift(path, 0.2)
