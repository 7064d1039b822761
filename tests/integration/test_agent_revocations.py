"""The agent's list of revocations, from real databases and a real Redis: nothing is lost, and nothing is made up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine

from auth.revocations import SESSION, SUBJECT, TOKEN, Revocation
from records import revocations
from records.engine import open_engine
from records.revocations import RevocationRow
from serving.adapters.guarded_redis import RedisDown
from serving.adapters.redis_revocations import KEY, RedisRevocations
from serving.agent.metrics import AgentMetrics
from serving.agent.revocations import PodRevocations, RedisTurns, SqlTurns
from serving.revocation_file import RevocationFile
from tests.redis_server import RedisServer

LIFE_SECONDS = 900.0


class Pod:
    """One pod's agent, a turn at a time."""

    def __init__(self, folder: Path, engine: Engine, redis: RedisRevocations | None = None) -> None:
        self.file, self.metrics = RevocationFile(folder), AgentMetrics()
        revoked = PodRevocations(self.file)
        self._sql = SqlTurns(engine, revoked, self.metrics, redis=redis)
        self._redis = None if redis is None else RedisTurns(redis, revoked, self.metrics)

    def ask_sql(self) -> Pod:
        self._sql.step()
        return self

    def ask_redis(self) -> Pod:
        assert self._redis is not None
        self._redis.step()
        return self

    @property
    def values(self) -> set[str] | None:
        return None if self.file.stamp() is None else {each.value for each in self.file.read()}

    def reads(self, source: str, result: str) -> float:
        name, labels = "slipway_revocation_reads_total", {"source": source, "result": result}
        return self.metrics.registry.get_sample_value(name, labels) or 0


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[RedisRevocations]:
    made = RedisRevocations(redis_server.url, timeout_seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Engine]:
    """A database without tables, which fails like one that is away."""
    engine = open_engine(f"sqlite:///{tmp_path / 'nowhere.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


def revoked(value: str, *, kind: str = SESSION, lives: float = LIFE_SECONDS) -> Revocation:
    return Revocation(kind, value, time.time(), time.time() + lives)


def revoke(engine: Engine, value: str, *, kind: str = SESSION, lives: float = LIFE_SECONDS) -> None:
    now = datetime.now(UTC)
    row = RevocationRow(kind=kind, value=value, issued_before=now, expires_at=now + timedelta(seconds=lives))
    with engine.begin() as connection:
        revocations.add(connection, [row])


def test_what_sql_has_is_in_the_file(engine: Engine, tmp_path: Path) -> None:
    for kind in (TOKEN, SESSION, SUBJECT):
        revoke(engine, f"one {kind}", kind=kind)
    revoke(engine, "over", lives=-1)
    pod = Pod(tmp_path, engine).ask_sql()
    assert pod.values == {"one token", "one session", "one subject"}
    [subject] = [each for each in pod.file.read() if each.kind == SUBJECT]
    assert abs(subject.expires_at - subject.issued_before - LIFE_SECONDS) < 0.01
    revoke(engine, "later")
    assert pod.ask_sql().values == {"one token", "one session", "one subject", "later"}


def test_a_row_that_was_committed_late_is_noticed(engine: Engine, tmp_path: Path) -> None:
    """Ids are given before a commit: a greatest id alone would miss it."""
    pod = Pod(tmp_path, engine)
    now = datetime.now(UTC)
    rows = [
        RevocationRow(kind=SESSION, value=name, issued_before=now, expires_at=now + timedelta(hours=1))
        for name in ("first", "second")
    ]
    if engine.dialect.name == "sqlite":
        revoke(engine, "first")
        pod.ask_sql()
        revoke(engine, "second")
    else:
        with engine.begin() as slow:
            revocations.add(slow, rows[:1])
            revoke(engine, "second")
            assert pod.ask_sql().values == {"second"}
    assert pod.ask_sql().values == {"first", "second"}


def test_without_any_answer_there_is_no_file(tmp_path: Path, nowhere: Engine) -> None:
    pod = Pod(tmp_path, nowhere).ask_sql()
    assert pod.values is None
    assert pod.reads("sql", "error") == 1


def test_an_unchanged_list_is_known_to_be_right_later_and_while_sql_is_away_it_is_not(
    tmp_path: Path, sqlite: Engine
) -> None:
    pod = Pod(tmp_path, sqlite).ask_sql()
    first = pod.file.stamp()
    second = pod.ask_sql().file.stamp()
    assert first is not None
    assert second is not None
    assert (second[0], second[2] > first[2]) == (first[0], True)
    with sqlite.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE revocations RENAME TO elsewhere")
    assert pod.ask_sql().file.stamp() == second


def test_a_list_that_was_deleted_is_written_again(tmp_path: Path, sqlite: Engine) -> None:
    revoke(sqlite, "one")
    pod = Pod(tmp_path, sqlite).ask_sql()
    (tmp_path / "_identity" / "revocations.json").unlink()
    assert pod.ask_sql().values == {"one"}


def test_what_has_expired_leaves_the_list(tmp_path: Path, sqlite: Engine) -> None:
    revoke(sqlite, "short", lives=0.2)
    pod = Pod(tmp_path, sqlite).ask_sql()
    assert pod.values == {"short"}
    time.sleep(0.25)
    assert pod.ask_sql().values == set()


def test_redis_is_the_quicker_way_and_sql_fills_it(
    tmp_path: Path, sqlite: Engine, nowhere: Engine, redis: RedisRevocations
) -> None:
    revoke(sqlite, "in sql")
    other = Pod(tmp_path / "other", nowhere, redis)
    assert other.ask_redis().values is None, "an empty Redis knows nothing"
    Pod(tmp_path / "one", sqlite, redis).ask_sql()
    assert other.ask_redis().values == {"in sql"}
    redis.push([revoked("quick")])
    assert other.ask_redis().values == {"in sql", "quick"}


def test_what_only_redis_was_told_survives_its_restart_and_the_agents(
    tmp_path: Path, sqlite: Engine, redis: RedisRevocations, redis_server: RedisServer
) -> None:
    revoke(sqlite, "in sql")
    pod = Pod(tmp_path, sqlite, redis).ask_sql()
    redis.push([revoked("only in redis")])
    pod.ask_redis()
    redis_server.stop()
    pod.ask_redis()
    assert pod.reads("redis", "error") == 1
    redis_server.start()
    assert pod.ask_redis().ask_sql().values == {"in sql", "only in redis"}
    again = Pod(tmp_path, sqlite, redis).ask_sql()
    assert again.values == {"in sql", "only in redis"}


def test_a_redis_that_lost_its_memory_is_filled_again(
    tmp_path: Path, sqlite: Engine, nowhere: Engine, redis: RedisRevocations, redis_server: RedisServer
) -> None:
    revoke(sqlite, "in sql")
    pod = Pod(tmp_path / "one", sqlite, redis).ask_sql()
    redis_server.stop()
    redis_server.start()
    newcomer = Pod(tmp_path / "new", nowhere, redis)
    assert newcomer.ask_redis().values is None
    pod.ask_sql()
    assert newcomer.ask_redis().values == {"in sql"}


def test_a_list_of_before_is_right_as_of_then_until_somebody_tells(
    tmp_path: Path, nowhere: Engine, redis: RedisRevocations
) -> None:
    before = time.time() - 500
    RevocationFile(tmp_path).write([revoked("old")], right_at=before)
    pod = Pod(tmp_path, nowhere, redis)
    redis.push([revoked("heard")])
    assert pod.ask_sql().ask_redis().values == {"old", "heard"}
    stamp = pod.file.stamp()
    assert stamp is not None
    assert abs(stamp[2] * 1e-9 - before) < 0.001


def test_what_is_no_revocation_harms_nobody(
    tmp_path: Path, sqlite: Engine, redis: RedisRevocations, redis_server: RedisServer
) -> None:
    with Redis(port=redis_server.port) as client:
        for member in (b"x", b"\xff", b"[]", b'["session"]', b'["session", 1, 2, 3]', b'{"kind": 1}'):
            client.zadd(KEY, {member: time.time() + 100})
    redis.push([revoked("good"), revoked("for ever", lives=1e15)])
    assert Pod(tmp_path, sqlite, redis).ask_sql().ask_redis().values == {"good"}


def test_a_damaged_file_is_replaced(tmp_path: Path, sqlite: Engine) -> None:
    path = tmp_path / "_identity" / "revocations.json"
    path.parent.mkdir()
    path.write_bytes(b'{"revocations": [["sess')
    revoke(sqlite, "one")
    assert Pod(tmp_path, sqlite).ask_sql().values == {"one"}


def test_redis_out_of_reach_is_said_in_one_way() -> None:
    redis = RedisRevocations("redis://127.0.0.1:9/0", timeout_seconds=0.1)
    with pytest.raises(RedisDown):
        redis.push([revoked("one")])
    with pytest.raises(RedisDown):
        redis.read(time.time())


def test_rows_that_have_expired_are_deleted(engine: Engine) -> None:
    revoke(engine, "over", lives=-1)
    revoke(engine, "active")
    assert revocations.prune(engine, datetime.now(UTC)) == 1
    assert [row.value for row in revocations.active(engine, datetime.now(UTC))] == ["active"]
