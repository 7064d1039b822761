"""The agent's parts, wired from the settings. Each may fail while what it needs is away, and is then made again later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from modelkit.feature_url import FeatureHome
from serving.agent.challenger_sync import ChallengerSync
from serving.agent.metrics import AgentMetrics
from serving.agent.revocations import PodRevocations, RedisTurns, SqlTurns
from serving.agent.shadow_queue import ShadowQueue
from serving.agent.shipper import PredictionTable, Shipper
from serving.agent.sync import RegistrySync
from serving.audit import audit_log
from serving.identity_folder import IdentityFolder
from serving.policy_setting import policy_file
from serving.revoking import revocations_in_redis
from serving.served_models import (
    challenged_models,
    challenger_store,
    model_store,
    pinned_challengers,
    pinned_versions,
    served_models,
    views_of,
)
from serving.settings import Environment, ModelSource, Settings

if TYPE_CHECKING:
    from modelkit.definition import FeatureView
    from serving.agent.features import FeatureSync
    from serving.agent.key_sets import KeySets
    from serving.agent.proven_versions import ProvenVersions
    from serving.model_store import ModelStore
    from serving.proof import Prover


def needs_registry(settings: Settings) -> bool:
    return settings.model_source is not ModelSource.PATH


def views_to_compile(settings: Settings) -> dict[str, FeatureView]:
    """None where features are in Redis: workers ask that one themselves."""
    if settings.feature_home is FeatureHome.REDIS:
        return {}
    return views_of(served_models(settings))


def _proven_versions(settings: Settings, store: ModelStore, prover: Prover) -> ProvenVersions:
    from serving.agent.bounded_registry import BoundedRegistry
    from serving.agent.proven_versions import ProvenVersions
    from serving.agent.registry import MlflowRegistry

    limit = settings.model_load_limit_bytes
    registry = BoundedRegistry(MlflowRegistry(settings.mlflow_tracking_uri, limit_bytes=limit))
    return ProvenVersions(registry, store, prover)


def make_registry_sync(settings: Settings, metrics: AgentMetrics, prover: Prover) -> RegistrySync:
    from serving.agent.choice import PinnedChoice

    store = model_store(settings)
    assert store is not None
    versions, pins = _proven_versions(settings, store, prover), pinned_versions(settings)
    approved = settings.slipway_env is not Environment.DEV
    choice = PinnedChoice(versions.registry, pins, only_approved=approved) if pins else None
    return RegistrySync(versions, served_models(settings), metrics, choice=choice)


def make_challenger_sync(settings: Settings, metrics: AgentMetrics, prover: Prover) -> ChallengerSync:
    """A challenger need not be approved: that is what it may become."""
    from serving.agent.choice import PinnedChoice

    versions, pins = (
        _proven_versions(settings, challenger_store(settings), prover),
        pinned_challengers(settings),
    )
    choice = PinnedChoice(versions.registry, pins, only_approved=False, withdrawn=False) if pins else None
    return ChallengerSync(versions, challenged_models(settings), metrics, choice=choice)


def make_feature_sync(
    settings: Settings, views: Mapping[str, FeatureView], metrics: AgentMetrics
) -> FeatureSync:
    from serving.agent.feature_origins import ParquetFolder, SqlTables
    from serving.agent.features import FeatureSync
    from serving.feature_snapshot import SnapshotStore

    url, store = settings.features_url.get_secret_value(), SnapshotStore(settings.model_store_dir)
    if settings.feature_home is FeatureHome.FOLDER:
        return FeatureSync(ParquetFolder(Path(url)), store, views, metrics)
    from records.engine import open_engine

    engine = open_engine(url, mounted=settings.features_url_file, answer_seconds=None)
    return FeatureSync(SqlTables(engine), store, views, metrics)


def make_key_sets(settings: Settings, metrics: AgentMetrics) -> KeySets:
    from serving.agent.key_schedule import Pace
    from serving.agent.key_sets import KeySets, Told

    pace = Pace(
        refresh_seconds=settings.jwks_refresh_seconds, cooldown_seconds=settings.jwks_cooldown_seconds
    )
    folder = IdentityFolder(settings.model_store_dir)
    told = Told(counted=metrics.keys_fetched, audit=audit_log)
    return KeySets(policy_file(settings, audit=audit_log), folder, pace, told=told)


def make_sql_turns(settings: Settings, pod: PodRevocations, metrics: AgentMetrics) -> SqlTurns:
    from records.engine import open_engine

    engine = open_engine(settings.database_url.get_secret_value(), mounted=settings.database_url_file)
    return SqlTurns(engine, pod, metrics, redis=revocations_in_redis(settings))


def make_redis_turns(settings: Settings, pod: PodRevocations, metrics: AgentMetrics) -> RedisTurns:
    redis = revocations_in_redis(settings)
    assert redis is not None
    return RedisTurns(redis, pod, metrics)


def _traced(table: PredictionTable, metrics: AgentMetrics) -> PredictionTable:
    from serving.agent.traced_table import TracedTable

    return table if metrics.tracer is None else TracedTable(table, metrics.tracer)


def make_shipper(
    settings: Settings, metrics: AgentMetrics, sampled: ShadowQueue | None, *, alive: Callable[[], None]
) -> Shipper:
    from records.engine import open_engine
    from records.migrate import upgrade
    from serving.agent.prediction_table import SqlPredictionTable
    from serving.agent.pulsing_table import PulsingTable
    from serving.agent.segments import SegmentFolder

    url = settings.database_url.get_secret_value()
    if settings.slipway_env is Environment.DEV:  # elsewhere migrations are a deployment step of their own
        upgrade(url)
    engine = open_engine(url, mounted=settings.database_url_file)
    segments = SegmentFolder(settings.spool_dir)
    table = PulsingTable(_traced(SqlPredictionTable(engine), metrics), alive)
    if sampled is None:
        return Shipper(segments, table, metrics)
    return Shipper(segments, table, metrics, committed=sampled.offer)
