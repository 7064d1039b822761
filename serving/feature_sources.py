"""Which source the setting FEATURES_URL means for each view: Redis itself, or the snapshots that the agent compiles."""

from __future__ import annotations

from collections.abc import Mapping

from modelkit.feature_url import FeatureHome
from modelkit.view_rows import ViewRows
from serving.adapters.guarded_redis import GuardedRedis
from serving.adapters.redis_features import RedisFeatures
from serving.adapters.snapshot_features import SnapshotFeatures
from serving.feature_snapshot import SnapshotStore
from serving.metrics import Metrics
from serving.ports import FeatureSource
from serving.settings import Settings


def make_sources(
    views: Mapping[str, ViewRows], settings: Settings, metrics: Metrics
) -> dict[str, FeatureSource]:
    """A source for each view, by the view's name."""
    if settings.feature_home is FeatureHome.REDIS:
        redis = GuardedRedis(
            settings.features_url.get_secret_value(),
            purpose="features",
            timeout_seconds=settings.redis_timeout_seconds,
            on_breaker=metrics.feature_breaker_open.set,
            mounted=settings.features_url_file,
        )
        return {name: RedisFeatures(rows, redis) for name, rows in views.items()}
    store = SnapshotStore(settings.model_store_dir)
    return {name: SnapshotFeatures(rows, store) for name, rows in views.items()}
