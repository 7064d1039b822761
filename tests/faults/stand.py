"""What a scenario breaks: a served instance as users run it, with its agent, on a real Redis and a real PostgreSQL.

Both are reached through a proxy of ours. `python -m serving` is a process of its own; nothing in it knows of this.
"""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from records.engine import open_engine
from records.migrate import upgrade
from tests.e2e.running_service import RunningService
from tests.e2e.stoppable_postgres import StoppablePostgres
from tests.e2e.tiny_service import tiny_service
from tests.faults import mischief
from tests.faults.proxy import FaultyProxy
from tests.redis_server import RedisServer

# A refusal for want of capacity would be taken for one of the end.
FIXED_LIMIT = {"CONCURRENCY_ADAPTIVE": "false"}


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Started once for all scenarios: PostgreSQL takes seconds to make."""

    redis: RedisServer
    postgres: StoppablePostgres


@dataclass(frozen=True, kw_only=True)
class Stand:
    """One service and what it stands on. Scenarios leave it as they found it."""

    service: RunningService
    servers: Servers
    redis: FaultyProxy
    sql: FaultyProxy
    database_url: str  # past the proxy: for looking, and for a second agent
    settings: Mapping[str, str]
    parts: ExitStack  # ended with the stand
    others: list[RunningService] = field(default_factory=list)

    def another(self) -> RunningService:
        """A replica over the same database, past the proxy; started for whoever asks first."""
        if not self.others:
            folder = Path(self.parts.enter_context(tempfile.TemporaryDirectory(prefix="slipway-second-")))
            settings = {**self.settings, "DATABASE_URL": self.database_url}
            self.others.append(self.parts.enter_context(tiny_service(folder, ["iris"], **settings)))
        return self.others[0]


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    redis = RedisServer()
    redis.start()
    try:
        yield Servers(redis=redis, postgres=StoppablePostgres())
    finally:
        redis.stop()


@contextlib.contextmanager
def stand(shared: Servers, settings: Mapping[str, str]) -> Iterator[Stand]:
    """With a new database and an empty Redis. `{folder}` in a setting is the stand's own."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="slipway-faults-")))
        redis = parts.enter_context(FaultyProxy(("127.0.0.1", shared.redis.port)))
        database, direct = _new_database(shared.postgres)
        sql = parts.enter_context(FaultyProxy(_socket_path(shared.postgres)))
        defaults = {
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{sql.port}/{database}",
            "CACHE_ENTRIES": "0",  # repeated rows are Redis's to answer
        }
        wanted = {name: value.replace("{folder}", str(folder)) for name, value in settings.items()}
        if mischief.SETTINGS.keys() <= wanted.keys():
            mischief.build(folder)
        made = tiny_service(folder, ["iris"], **{**defaults, **wanted})
        made.database_url = {**defaults, **wanted}["DATABASE_URL"]
        service = parts.enter_context(made)
        service.wait_for_agent()
        yield Stand(
            service=service,
            servers=shared,
            redis=redis,
            sql=sql,
            database_url=direct,
            settings=settings,
            parts=parts,
        )


def _new_database(postgres: StoppablePostgres) -> tuple[str, str]:
    """Its name, and its URL past the proxy."""
    name = f"faults_{uuid.uuid4().hex[:12]}"
    engine = open_engine(postgres.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    direct = postgres.url.replace("/postgres?", f"/{name}?")
    upgrade(direct)
    return name, direct


def _socket_path(postgres: StoppablePostgres) -> str:
    (folder,) = parse_qs(urlsplit(postgres.url).query)["host"]
    return f"{folder}/.s.PGSQL.5432"
