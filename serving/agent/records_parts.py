"""The parts of the agent that look after records in SQL, wired from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.agent.metrics import AgentMetrics
from serving.agent.retention import Retention
from serving.agent.scoring import FeedbackScoring
from serving.agent.segments import SegmentFolder
from serving.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Months of rows are deleted or counted at once.
LONG_STATEMENT_SECONDS = 120.0


def make_scoring(settings: Settings, metrics: AgentMetrics) -> FeedbackScoring:
    return FeedbackScoring(_engine(settings), metrics.feedback)


def make_retention(settings: Settings, metrics: AgentMetrics) -> Retention:
    segments, days = SegmentFolder(settings.spool_dir), settings.log_retention_days
    return Retention(_engine(settings), segments, metrics.feedback, days=days)


def _engine(settings: Settings) -> Engine:
    from records.engine import open_engine

    url, mounted = settings.database_url.get_secret_value(), settings.database_url_file
    return open_engine(url, mounted=mounted, answer_seconds=LONG_STATEMENT_SECONDS)
