"""The shadow: what is sampled, computed and kept, and everything that may be missing is counted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from modelkit.definition import ModelDefinition
from modelkit.fingerprint import canonical
from records.prediction_record import PredictionRecord
from records.shadow_predictions import ShadowAnswer
from records.tables import ShadowPrediction
from serving.agent.latest_models import LatestModels
from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentFolder
from serving.agent.shadow import NotWritten, Shadow, ShadowTable, Versions
from serving.agent.shadow_queue import ShadowQueue
from serving.agent.shadow_table import SqlShadowTable
from serving.agent.shipper import Shipper
from serving.challengers import PathChallengers
from serving.loaded_model import load_model
from serving.model_path import ModelPath
from serving.outcome import encode_outcome
from serving.redaction import Redaction
from serving.spool import SEALED, frame
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.front_service import CATALOG
from tests.prediction_records import encode_record, figure, made_record
from tests.tiny_features import example_row
from tests.tiny_servables import write_tiny


class NoTable:
    """ShadowTable of a database that is away."""

    def insert(self, answers: list[ShadowAnswer]) -> int:
        raise NotWritten("OperationalError")


class Scene:
    """Production and challenger of every model of the catalog, and a shadow over both."""

    def __init__(
        self, folder: Path, table: ShadowTable, *, share: float = 1.0, cpu_share: float = 0.1, **queue: Any
    ) -> None:
        self.folder, self.metrics = folder, AgentMetrics()
        for name, definition in CATALOG.items():
            write_tiny(definition, folder / "production" / name)
            write_tiny(definition, folder / "challengers" / name, bias=2.5)
        self.rows = ShadowQueue(
            dict.fromkeys(CATALOG, share), self.metrics.shadow, **{"redaction": Redaction({}), **queue}
        )
        self.versions = Versions(self._latest("challengers"), self._latest("production"))
        self.shadow = Shadow(self.rows, self.versions, table, self.metrics.shadow, cpu_share=cpu_share)

    def _latest(self, place: str) -> LatestModels:
        return LatestModels(PathChallengers(ModelPath(self.folder / place)), CATALOG)

    def record(self, definition: ModelDefinition, prediction_id: str, **changes: Any) -> PredictionRecord:
        """As the predictor logs an example, whatever looked its features up."""
        model = self.versions.production.of(definition.name)
        assert model is not None
        row = model.rows.from_object(example_row(definition, definition.examples[0]))
        (outcome,) = model.predict([row])
        values = {
            "model": model.name,
            "version": model.version,
            "features": msgspec.Raw(canonical(row)),
            "predicted_value": outcome.number,
            "prediction": msgspec.Raw(encode_outcome(outcome) if outcome.probabilities else b"null"),
        }
        return made_record(prediction_id, **{**values, **changes})

    def counted(self, name: str, result: str, version: str | None = None) -> float:
        challenger = self.versions.challengers.of(name)
        known = "" if challenger is None else challenger.version
        labels = {"model": name, "version": known if version is None else version, "result": result}
        return figure(self.metrics.registry, "slipway_shadow_comparisons_total", **labels)


def kept(engine: Engine) -> list[ShadowPrediction]:
    with Session(engine) as session:
        return list(session.scalars(select(ShadowPrediction).order_by(ShadowPrediction.prediction_id)))


@pytest.fixture
def scene(engine: Engine, tmp_path: Path) -> Scene:
    return Scene(tmp_path, SqlShadowTable(engine))


@pytest.mark.parametrize("name", CATALOG)
def test_both_answers_of_a_row_are_kept(scene: Scene, engine: Engine, name: str) -> None:
    definition = CATALOG[name]
    record = scene.record(definition, "p-1")
    scene.rows.offer([record])
    scene.shadow.step()
    (row,) = kept(engine)
    challenger = load_model(scene.folder / "challengers" / name, definition, version=row.version)
    (expected,) = challenger.predict([challenger.rows.decode_one(bytes(record.features))])
    assert (row.prediction_id, row.model, row.predicted_value) == ("p-1", name, expected.number)
    assert (row.prediction or {}).get("probabilities") == expected.probabilities
    assert row.latency_ms > 0
    assert row.answered_latency_ms is not None
    assert scene.counted(name, "written") == 1


def test_a_row_that_is_shipped_twice_is_kept_once(scene: Scene, engine: Engine) -> None:
    record = scene.record(CATALOG["iris"], "p-1")
    for _ in range(2):
        scene.rows.offer([record])
        scene.shadow.step()
    assert len(kept(engine)) == 1
    assert (scene.counted("iris", "written"), scene.counted("iris", "repeated")) == (1, 1)


def test_what_the_shipper_has_committed_is_tried(scene: Scene, engine: Engine) -> None:
    spool = scene.folder / "spool"
    spool.mkdir()
    records = [scene.record(CATALOG["food-delivery"], f"p-{number}") for number in range(3)]
    (spool / f"w-00000001-3{SEALED}").write_bytes(
        b"".join(frame(encode_record(record)) for record in records)
    )
    table = MemoryPredictionTable()
    shipper = Shipper(SegmentFolder(spool), table, scene.metrics, committed=scene.rows.offer)
    table.unreachable = True
    shipper.step()
    assert scene.rows.take(10) == []
    table.unreachable = False
    assert shipper.step()
    scene.shadow.step()
    assert [row.prediction_id for row in kept(engine)] == ["p-0", "p-1", "p-2"]


def test_a_sample_is_drawn_by_the_ids_of_rows(scene: Scene, tmp_path: Path) -> None:
    records = [made_record(f"p-{number:05d}", model="iris") for number in range(10_000)]
    drawn = []
    for _ in range(2):
        rows = ShadowQueue({"iris": 0.25}, scene.metrics.shadow, redaction=Redaction({}))
        rows.offer(records)
        drawn.append([record.prediction_id for record in rows.take(len(records))])
    assert drawn[0] == drawn[1]
    assert abs(len(drawn[0]) / len(records) - 0.25) < 0.02


def test_a_full_queue_loses_rows_and_never_waits(scene: Scene, tmp_path: Path) -> None:
    rows = ShadowQueue({"iris": 1.0}, scene.metrics.shadow, redaction=Redaction({}), size=2)
    rows.offer([made_record(f"p-{number}", model="iris") for number in range(5)])
    assert len(rows.take(10)) == 2
    assert scene.counted("iris", "queue_full", version="") == 3


def test_rows_with_redacted_fields_are_left_out(scene: Scene) -> None:
    redaction = Redaction({"iris": frozenset({"sepal_length"})})
    rows = ShadowQueue({"iris": 1.0}, scene.metrics.shadow, redaction=redaction)
    rows.offer([made_record("p-1", model="iris")])
    assert rows.take(10) == []
    assert scene.counted("iris", "redacted", version="") == 1


def test_other_models_and_rows_without_an_answer_are_nobodys_business(scene: Scene) -> None:
    rows = ShadowQueue({"iris": 1.0}, scene.metrics.shadow, redaction=Redaction({}))
    rows.offer([made_record("p-1", model="basket"), made_record("p-2", model="iris", outcome="error")])
    assert rows.take(10) == []


def test_what_cannot_be_compared_is_counted(scene: Scene, engine: Engine) -> None:
    iris = CATALOG["iris"]
    challenger = scene.versions.challengers.of("iris")
    assert challenger is not None
    scene.rows.offer(
        [
            scene.record(iris, "p-1", version=challenger.version),
            scene.record(iris, "p-2", features=msgspec.Raw(b'{"sepal_length":"long"}')),
            scene.record(iris, "p-3", version="of last week"),
        ]
    )
    scene.shadow.step()
    assert (scene.counted("iris", "same_version"), scene.counted("iris", "failed")) == (1, 1)
    (row,) = kept(engine)
    assert (row.prediction_id, row.answered_latency_ms) == ("p-3", None)


def test_without_a_challenger_rows_are_counted(scene: Scene, tmp_path: Path) -> None:
    for path in (tmp_path / "challengers" / "iris").iterdir():
        path.unlink()
    scene.rows.offer([scene.record(CATALOG["iris"], "p-1")])
    scene.shadow.step()
    assert scene.counted("iris", "no_challenger") == 1


def test_a_database_that_is_away_costs_the_sample_and_nothing_else(tmp_path: Path) -> None:
    scene = Scene(tmp_path, NoTable())
    scene.rows.offer([scene.record(CATALOG["iris"], "p-1")])
    scene.shadow.step()
    assert scene.counted("iris", "not_written") == 1


def test_what_was_used_of_the_core_is_slept_off(tmp_path: Path) -> None:
    scene = Scene(tmp_path, NoTable(), cpu_share=0.1)
    scene.rows.offer([scene.record(CATALOG["iris"], f"p-{number}") for number in range(64)])
    started = time.thread_time()
    pause = scene.shadow.step()
    spent = time.thread_time() - started
    assert 0 < pause <= spent * 9
    idle = Scene(tmp_path / "whole", NoTable(), cpu_share=1.0)
    idle.rows.offer([idle.record(CATALOG["iris"], "p-1")])
    assert idle.shadow.step() == 0.0
