"""What a worker does about revocations: it follows everybody's, applies its own at once, and tells the other pods."""

from __future__ import annotations

from contextlib import suppress

from auth.revocations import Revocation, Revocations
from auth.sessions import Lives
from serving.adapters.guarded_redis import RedisDown
from serving.adapters.redis_revocations import RedisRevocations
from serving.following_revocations import RevocationFollower
from serving.revocation_file import RevocationFile
from serving.settings import Settings


class Revoking:
    """`announce` is called in the slow lane; what it says holds here after the next `revocations.settle`."""

    def __init__(self, settings: Settings) -> None:
        self.revocations = Revocations()
        file, life = RevocationFile(settings.model_store_dir), lives_of(settings)
        self.follower = RevocationFollower(file, self.revocations, life_seconds=life.access + life.leeway)
        self._redis = revocations_in_redis(settings)

    def announce(self, one: Revocation) -> None:
        """Redis as far as it can be asked: the agents read SQL, too."""
        self.revocations.report(one)
        if self._redis is not None:
            with suppress(RedisDown):
                self._redis.push([one])


def revocations_in_redis(settings: Settings) -> RedisRevocations | None:
    if settings.redis_url is None:
        return None
    return RedisRevocations(
        settings.redis_url.get_secret_value(),
        timeout_seconds=settings.redis_timeout_seconds,
        mounted=settings.redis_url_file,
    )


def lives_of(settings: Settings) -> Lives:
    return Lives(
        access=settings.jwt_access_ttl_seconds,
        refresh=settings.refresh_ttl_seconds,
        session=settings.session_ttl_seconds,
        leeway=settings.jwt_leeway_seconds,
    )
