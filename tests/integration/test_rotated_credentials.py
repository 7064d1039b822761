"""Rotation: a changed password in a mounted file is used by the next connection, without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import event

from records.engine import open_engine
from serving.adapters.guarded_redis import GuardedRedis
from tests.redis_server import RedisServer

ADDRESS = "db:5432/slipway?sslmode=require"


class Refused(Exception):
    """Nobody is really called."""


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    path = tmp_path / "url"
    path.write_text(f"postgresql://ada:first@{ADDRESS}\n")
    return path


@pytest.fixture
def callers(mounted: Path) -> Iterator[Any]:
    """Who the next connection to PostgreSQL calls itself, and with which password."""
    engine = open_engine(mounted.read_text().strip(), mounted=mounted, answer_seconds=None)
    seen: list[tuple[str, str]] = []

    def look(_: Any, __: Any, ___: Any, parameters: dict[str, Any]) -> None:
        seen.append((parameters["user"], parameters["password"]))
        raise Refused

    event.listen(engine, "do_connect", look)

    def caller() -> tuple[str, str]:
        with pytest.raises(Refused):
            engine.connect()
        return seen[-1]

    yield caller
    engine.dispose()


def test_a_new_connection_to_sql_uses_the_password_that_the_file_holds_now(
    mounted: Path, callers: Any
) -> None:
    assert callers() == ("ada", "first")
    mounted.write_text(f"postgresql://bob:p%40ss@{ADDRESS}\n")
    assert callers() == ("bob", "p@ss")


@pytest.mark.parametrize("content", ["", "no url", "postgresql://eve:other@elsewhere/slipway", None])
def test_a_file_without_a_url_of_this_database_changes_nothing(
    mounted: Path, callers: Any, content: str | None
) -> None:
    if content is None:
        mounted.unlink()
    else:
        mounted.write_text(content)
    assert callers() == ("ada", "first")


def test_a_new_connection_to_redis_uses_the_password_that_the_file_holds_now(
    redis_server: RedisServer, mounted: Path
) -> None:
    def url(password: str) -> str:
        return redis_server.url.replace("redis://", f"redis://:{password}@")

    def rotate(before: str, after: str) -> None:
        with Redis.from_url(url(before) if before else redis_server.url) as admin:
            admin.config_set("requirepass", after)

    async def ping(guarded: GuardedRedis) -> Any:
        return await guarded.call(guarded.commands.ping())

    async def talk() -> None:
        mounted.write_text(url("first"))
        guarded = GuardedRedis(
            url("first"), purpose="cache", timeout_seconds=5, on_breaker=lambda _: None, mounted=mounted
        )
        assert await ping(guarded)
        rotate("first", "second")
        await guarded.commands.connection_pool.disconnect()
        mounted.write_text(url("second"))
        assert await ping(guarded)
        mounted.write_text("")
        await guarded.commands.connection_pool.disconnect()
        assert await ping(guarded), "what was known goes on"
        await guarded.close()

    rotate("", "first")
    asyncio.run(talk())


def test_a_redis_without_a_password_is_greeted_without_one(redis_server: RedisServer, mounted: Path) -> None:
    async def talk() -> None:
        mounted.write_text(redis_server.url)
        guarded = GuardedRedis(
            redis_server.url, purpose="cache", timeout_seconds=5, on_breaker=lambda _: None, mounted=mounted
        )
        assert await guarded.call(guarded.commands.ping())
        await guarded.close()

    asyncio.run(talk())
