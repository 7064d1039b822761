"""One worker's limits and the errand that shares them, from the settings: a part of `serving.bootstrap`."""

from __future__ import annotations

import asyncio
import importlib
import math
import secrets
import time
from typing import TYPE_CHECKING

from auth.policy import PolicyFile
from serving.identity_metrics import IdentityMetrics
from serving.limits.leasing import Leasing
from serving.limits.limiter import RateLimits
from serving.limits.rates import PolicyRates, default_rate
from serving.limits.sharing import Sharing
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.limits.quota import QuotaStore


class Limiting:
    """`limits` is what requests ask; `leasing` runs beside them."""

    def __init__(self, settings: Settings, policy: PolicyFile, metrics: IdentityMetrics) -> None:
        self._settings = settings
        shared = settings.redis_url is not None
        sharing = Sharing(
            divisor=settings.workers * settings.rate_limit_replicas,
            since=time.monotonic() if shared else -math.inf,
        )
        self.limits = RateLimits(PolicyRates(default_rate(settings), policy), metrics, sharing)
        self.leasing = Leasing(self.limits, metrics, self._open_redis if shared else None)

    async def _open_redis(self) -> QuotaStore:
        """When somebody has a limit: importing redis-py would hold up the first answer by a tenth of a second."""
        settings = self._settings
        assert settings.redis_url is not None
        adapter = await asyncio.to_thread(importlib.import_module, "serving.adapters.redis_quota")
        store: QuotaStore = await asyncio.to_thread(
            adapter.RedisQuota.at,
            settings.redis_url.get_secret_value(),
            worker=secrets.token_hex(8),
            timeout_seconds=settings.redis_timeout_seconds,
            mounted=settings.redis_url_file,
        )
        return store
