"""The parts of the agent that look after records in SQL, wired from the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelkit.definition import load_catalog
from serving.agent.handoff import Adoption, Handover
from serving.agent.handoff_store import HandoffStore
from serving.agent.metrics import AgentMetrics
from serving.agent.retention import Retention, SetAside
from serving.agent.scoring import FeedbackScoring
from serving.agent.segments import SegmentFolder
from serving.agent.shadow_queue import ShadowQueue
from serving.agent.shipper import Delivery
from serving.served_models import furthest_truths
from serving.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Months of rows are deleted or counted at once.
LONG_STATEMENT_SECONDS = 120.0


def make_scoring(settings: Settings, metrics: AgentMetrics) -> FeedbackScoring:
    most = furthest_truths(load_catalog(settings.catalog).values())
    return FeedbackScoring(_engine(settings), metrics.feedback, most=most)


def make_retention(settings: Settings, metrics: AgentMetrics) -> Retention:
    places: list[SetAside] = [SegmentFolder(settings.spool_dir)]
    if settings.spool_handoff_url:
        places.append(_handoff_store(settings))
    return Retention(_engine(settings), places, metrics.feedback, days=settings.log_retention_days)


def _handoff_store(settings: Settings) -> HandoffStore:
    return HandoffStore(settings.spool_handoff_url, credentials=settings.spool_handoff_credentials_file)


def make_handover(settings: Settings, metrics: AgentMetrics) -> Handover:
    segments, store = SegmentFolder(settings.spool_dir), _handoff_store(settings)
    return Handover(segments, store, metrics.handoff)


def make_adoption(
    settings: Settings, metrics: AgentMetrics, sampled: ShadowQueue | None, *, alive: Callable[[], None]
) -> Adoption:
    from serving.agent.prediction_table import SqlPredictionTable
    from serving.agent.pulsing_table import PulsingTable

    table, store = PulsingTable(SqlPredictionTable(_engine(settings)), alive), _handoff_store(settings)
    told = Delivery(table, metrics) if sampled is None else Delivery(table, metrics, committed=sampled.offer)
    return Adoption(store, told, metrics.handoff, keep_days=settings.log_retention_days)


def _engine(settings: Settings) -> Engine:
    from records.engine import open_engine

    url, mounted = settings.database_url.get_secret_value(), settings.database_url_file
    return open_engine(url, mounted=mounted, answer_seconds=LONG_STATEMENT_SECONDS)
