"""A prediction log with two versions in it, whose difference is known: callers who ask more or less, and a truth of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from modelkit.definition import ModelDefinition
from records.prediction_log import insert_predictions
from records.shadow_predictions import ShadowAnswer, insert_shadows
from records.tables import Feedback
from tests.prediction_records import made_record

NOW = datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Told:
    """`shift` is what the challenger answers more, `error` how far production is off; truth is known of `known` of the rows."""

    callers: int = 200
    rows_each: int = 5
    challenger_share: float = 0.5
    shift: float = 0.0
    error: float = 1.0
    known: float = 1.0
    seed: int = 1


class Logged:
    """Writes rows of one model, answered by versions 1 and 2."""

    def __init__(self, engine: Engine, definition: ModelDefinition) -> None:
        self._engine, self._definition = engine, definition

    def split(self, told: Told) -> None:
        """Each caller by one version; the truth is what version 1 said, give or take `error`."""
        random = np.random.default_rng(told.seed)
        records, truths = [], []
        for caller in range(told.callers):
            version = "2" if caller < told.callers * told.challenger_share else "1"
            for row in range(1 + int(random.integers(told.rows_each))):
                name = f"p-{caller:05d}-{row:03d}"
                truth = float(random.normal(20 + caller % 3, 1))
                off = float(random.normal(0, told.error)) + (told.shift if version == "2" else 0.0)
                arm = "challenger" if version == "2" else "production"
                records.append(
                    self._record(name, truth + off, version, f"caller-{caller}", minutes=row, arm=arm)
                )
                if random.random() < told.known:
                    truths.append((name, truth, abs(off), version))
        self._write(records, truths)

    def shadow(self, told: Told) -> None:
        """Each row answered by version 1 and tried on version 2."""
        random = np.random.default_rng(told.seed)
        records, truths, answers = [], [], []
        for caller in range(told.callers):
            for row in range(told.rows_each):
                name, truth = f"p-{caller:05d}-{row:03d}", float(random.normal(20, 1))
                off = float(random.normal(0, told.error))
                records.append(self._record(name, truth + off, "1", f"caller-{caller}"))
                answers.append(self._shadow(name, truth + off + told.shift + float(random.normal(0, 0.1))))
                if random.random() < told.known:
                    truths.append((name, truth, abs(off), "1"))
        self._write(records, truths)
        with self._engine.begin() as connection:
            for start in range(0, len(answers), 500):
                insert_shadows(connection, answers[start : start + 500])

    def labels(self, pairs: Sequence[tuple[str, str, str | None]]) -> None:
        """Rows by what version 1 said, what version 2 said, and what was true."""
        records, answers = [], []
        with Session(self._engine) as session, session.begin():
            for number, (given, tried, truth) in enumerate(pairs):
                name = f"p-{number:05d}"
                document = msgspec.Raw(msgspec.json.encode(_label(given, 0.9)))
                records.append(self._record(name, None, "1", f"caller-{number % 50}", prediction=document))
                answers.append(self._shadow(name, None, prediction=_label(tried, 0.5 + number / 1e4)))
                if truth is not None:
                    session.add(self._truth(name, "1", actual=truth, correct=truth == given))
        with self._engine.begin() as connection:
            insert_predictions(connection, records)
            insert_shadows(connection, answers)

    def _record(self, name: str, value: float | None, version: str, caller: str, **changes: Any) -> Any:
        minutes = changes.pop("minutes", 0)
        made = {
            "model": self._definition.name,
            "version": version,
            "subject": caller,
            "predicted_value": value,
            "latency_ms": 1.0 if version == "1" else 2.0,
            "created_at": (NOW - timedelta(hours=1) + timedelta(minutes=minutes)).timestamp(),
        }
        return made_record(name, **{**made, **changes})

    def _shadow(self, name: str, value: float | None, prediction: Any = None) -> ShadowAnswer:
        return ShadowAnswer(
            prediction_id=name,
            model=self._definition.name,
            version="2",
            predicted_value=value,
            prediction=prediction,
            outcome="ok",
            latency_ms=0.3,
            answered_latency_ms=0.2,
        )

    def _truth(self, name: str, version: str, **truth: Any) -> Feedback:
        return Feedback(
            prediction_id=name,
            subject="ada",
            model=self._definition.name,
            version=version,
            scored_at=NOW,
            **truth,
        )

    def _write(self, records: list[Any], truths: list[tuple[str, float, float, str]]) -> None:
        with self._engine.begin() as connection:
            insert_predictions(connection, records)
            if truths:
                connection.execute(
                    insert(Feedback),
                    [
                        {
                            "prediction_id": name,
                            "subject": "ada",
                            "actual_value": truth,
                            "model": self._definition.name,
                            "version": version,
                            "absolute_error": error,
                            "scored_at": NOW,
                        }
                        for name, truth, error, version in truths
                    ],
                )


def _label(name: str, surety: float) -> dict[str, Any]:
    others = {"setosa", "versicolor", "virginica"} - {name}
    return {
        "prediction": name,
        "probabilities": {name: surety, **dict.fromkeys(others, (1 - surety) / 2)},
    }
