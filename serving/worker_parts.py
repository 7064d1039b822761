"""What a worker is made of besides requests: its log, caches, features and followers, each from the settings alone."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from modelkit.definition import ModelDefinition
from serving.adapters.memory_cache import MemoryCache
from serving.adapters.segment_files import PosixSegmentFiles
from serving.cache import AnswerCache
from serving.entities import Entities
from serving.explain.explainer import Explainer
from serving.explain.explanations import Bounds, Explanations
from serving.explain.settings import explainer_environment
from serving.following import Follower, Sources
from serving.following_challengers import ChallengerFollower
from serving.metrics import Metrics
from serving.model_board import ModelBoard
from serving.model_path import ModelPath
from serving.prediction_log import PredictionLog
from serving.served_models import (
    challenger_source,
    model_store,
    pinned_versions,
    views_of,
)
from serving.settings import Settings
from serving.splitting import Split
from serving.spool import SpoolLimits, SpoolWriter
from serving.trust import make_trust

if TYPE_CHECKING:
    from sqlalchemy import Engine


def make_follower(board: ModelBoard, metrics: Metrics, settings: Settings) -> Follower:
    baked = ModelPath(settings.model_path) if settings.model_path is not None else None
    sources = Sources(model_store(settings), baked, pinned_versions(settings))
    return Follower(board, metrics, sources=sources, trust=make_trust(settings))


def make_challenger_follower(board: ModelBoard, metrics: Metrics, settings: Settings) -> ChallengerFollower:
    splits = {name: Split(name, weight, salt=settings.ab_salt) for name, weight in settings.weights.items()}
    return ChallengerFollower(
        board, challenger_source(settings), metrics, splits=splits, trust=make_trust(settings)
    )


def make_prediction_log(settings: Settings, metrics: Metrics) -> PredictionLog:
    spool = SpoolWriter(
        settings.spool_dir, PosixSegmentFiles(), SpoolLimits(spool_bytes=settings.spool_limit_bytes)
    )
    return PredictionLog(
        spool, metrics, durability=settings.spool_durability, policy=settings.spool_full_policy
    )


def make_answer_cache(settings: Settings, metrics: Metrics) -> AnswerCache | None:
    if not settings.cache_enabled:
        return None
    return AnswerCache(MemoryCache(max_entries=settings.cache_entries), None, metrics)


def make_explanations(settings: Settings, cache: AnswerCache | None, metrics: Metrics) -> Explanations | None:
    if not settings.explain_enabled:
        return None
    explainer = Explainer(settings.catalog, explainer_environment())
    bounds = Bounds(
        entries=settings.explain_cache_entries,
        queue=settings.explain_queue,
        evaluations=settings.explain_evaluations,
    )
    return Explanations(explainer, cache, metrics.explanations, bounds)


async def attach_redis(cache: AnswerCache, settings: Settings, metrics: Metrics) -> None:
    """Once the models are loaded: importing redis-py would hold up the first answer by a tenth of a second."""
    redis_cache = await asyncio.to_thread(importlib.import_module, "serving.adapters.redis_cache")
    assert settings.redis_url is not None
    made = partial(redis_cache.RedisCache, settings.redis_url.get_secret_value(), metrics)
    timeout, mounted = settings.redis_timeout_seconds, settings.redis_url_file
    cache.attach(await asyncio.to_thread(made, timeout_seconds=timeout, mounted=mounted))


def make_entities(
    definitions: Mapping[str, ModelDefinition], settings: Settings, metrics: Metrics
) -> Entities:
    return Entities(views_of(definitions), metrics, max_age_seconds=settings.features_max_age_seconds)


async def follow_features(entities: Entities, settings: Settings, metrics: Metrics) -> None:
    """Redis is imported, where it is the source, once the models are loaded."""
    sources = await asyncio.to_thread(importlib.import_module, "serving.feature_sources")
    made = await asyncio.to_thread(sources.make_sources, entities.rows, settings, metrics)
    for view, source in made.items():
        entities.attach(view, source)
    await entities.run()


def engine_on_first_use(settings: Settings) -> Callable[[], Engine]:
    """SQLAlchemy costs a third of a second and 30 MB: only the slow routes import it, when they are first asked."""

    @cache
    def engine() -> Engine:
        from records.engine import open_engine

        return open_engine(settings.database_url.get_secret_value(), mounted=settings.database_url_file)

    return engine
