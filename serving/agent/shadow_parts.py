"""The shadow's parts, wired from the settings; without SHADOW_SAMPLES there are none."""

from __future__ import annotations

import os
import threading

from serving.agent.latest_models import LatestModels
from serving.agent.metrics import AgentMetrics
from serving.agent.shadow import Shadow, Versions
from serving.agent.shadow_queue import ShadowQueue
from serving.challengers import ChallengerSource, PathChallengers, StoredChallengers
from serving.model_path import ModelPath
from serving.proof import Prover
from serving.served_models import challenger_source, model_store, redaction_of, served_models
from serving.settings import Settings
from serving.trust import make_trust

NICENESS = 10  # a tenth of a busy core: with less, what waits for a lock of this thread would wait long


def make_shadow_queue(settings: Settings, metrics: AgentMetrics) -> ShadowQueue | None:
    if not settings.shadows:
        return None
    return ShadowQueue(settings.shadows, metrics.shadow, redaction=redaction_of(settings))


def make_shadow(settings: Settings, metrics: AgentMetrics, rows: ShadowQueue, prover: Prover) -> Shadow:
    """To be made in the thread that steps it: that one then goes after everybody else on this machine."""
    from records.engine import open_engine
    from serving.agent.shadow_table import SqlShadowTable

    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    engine = open_engine(settings.database_url.get_secret_value(), mounted=settings.database_url_file)
    served, trust = served_models(settings), make_trust(settings, prover)
    versions = Versions(
        challengers=LatestModels(challenger_source(settings), served, trust),
        production=LatestModels(_production_source(settings), served, trust),
    )
    return Shadow(rows, versions, SqlShadowTable(engine), metrics.shadow, cpu_share=settings.shadow_cpu_share)


def _production_source(settings: Settings) -> ChallengerSource:
    if (store := model_store(settings)) is not None:
        return StoredChallengers(store)
    assert settings.model_path is not None
    return PathChallengers(ModelPath(settings.model_path))
