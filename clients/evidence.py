"""Finding what an answer left behind: its row in SQL and its line in /metrics."""

from __future__ import annotations

import time

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from clients.client import Answer
from records.engine import open_engine
from records.tables import Prediction

SHIP_SECONDS = 30.0


class Missing(Exception):
    """An answer left no trace where it should have."""


def wait_for_row(database_url: str, answer: Answer) -> str:
    """The answer as the prediction log remembers it; the agent ships it a moment after the answer."""
    engine = open_engine(database_url)
    deadline = time.monotonic() + SHIP_SECONDS
    try:
        while (row := find_row(engine, answer.prediction_id)) is None:
            if time.monotonic() > deadline:
                raise Missing(
                    f"{answer.prediction_id} is not in the table predictions after {SHIP_SECONDS:.0f} s"
                )
            time.sleep(0.2)
    finally:
        engine.dispose()
    return (
        f"{row.prediction_id} {row.model} v{row.version} by {row.subject}, "
        f"cached={row.cached}, {row.latency_ms:.2f} ms"
    )


def find_row(engine: Engine, prediction_id: str) -> Prediction | None:
    with Session(engine) as session:
        return session.scalars(
            select(Prediction).where(Prediction.prediction_id == prediction_id)
        ).one_or_none()


def metric_lines(exposition: str, answer: Answer) -> list[str]:
    """The counters of predictions that counted answers of this model and version, one per source."""
    labels = (f'model="{answer.model}"', f'version="{answer.model_version}"')
    counters = [line for line in exposition.splitlines() if line.startswith("slipway_predictions_total{")]
    found = [line for line in counters if all(label in line for label in labels)]
    if not found:
        raise Missing(f"/metrics counts no prediction of {answer.model} by version {answer.model_version}")
    return found
