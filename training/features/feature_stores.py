"""Where materialised features go: a Parquet file, a table, or a hash in Redis. Each replaces the whole set at once.

Readers see the set of before or the new one, never a mixture, and entities that are gone are gone. A set that is already
there is left alone, so that nobody reads it again.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from modelkit.feature_url import FeatureHome, feature_home
from modelkit.redis_features import META_FIELD, row_field, set_name
from modelkit.view_rows import FeatureSetMeta
from training.errors import FeatureStoreFailed
from training.features.feature_set import FeatureSet, without_nan

ROWS_PER_WRITE = 5_000
ROWS_PER_GROUP = 65_536
CONTENT, SCHEMA = b"slipway.content", b"slipway.schema_digest"
# A half-written set of a process that died removes itself.
UNFINISHED_SECONDS = 3600
REDIS_TIMEOUT_SECONDS = 10


class FeatureStore(Protocol):
    """One kind of place."""

    def replace(self, features: FeatureSet) -> bool:
        """True when something was written. Raises FeatureStoreFailed, and then the set of before is there still."""


def feature_store(url: str) -> FeatureStore:
    """The store that a URL or a folder names."""
    try:
        home = feature_home(url)
    except ValueError as error:
        raise FeatureStoreFailed(str(error)) from error
    made: dict[FeatureHome, type[Any]] = {
        FeatureHome.FOLDER: ParquetStore,
        FeatureHome.SQL: SqlStore,
        FeatureHome.REDIS: RedisStore,
    }
    store: FeatureStore = made[home](url)
    return store


class ParquetStore:
    """`<folder>/<view>.parquet`, replaced by a rename."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def replace(self, features: FeatureSet) -> bool:
        import pyarrow
        import pyarrow.parquet

        path = self._folder / f"{features.rows.view.name}.parquet"
        if path.exists() and _content_of(path) == features.digest.encode():
            return False
        arrays = [pyarrow.array(features.keys, pyarrow.string()), *map(pyarrow.array, features.numbers.T)]
        names = [features.rows.view.key, *features.rows.names]
        described = {CONTENT: features.digest, SCHEMA: features.rows.digest}
        table = pyarrow.table(arrays, names).replace_schema_metadata(described)
        fresh = path.with_suffix(f".{uuid.uuid4().hex}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            pyarrow.parquet.write_table(table, fresh, row_group_size=ROWS_PER_GROUP)
            os.replace(fresh, path)
        except OSError as error:
            raise FeatureStoreFailed(f"{path} cannot be written: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)
        return True


def _content_of(path: Path) -> bytes:
    import pyarrow
    import pyarrow.parquet

    try:
        metadata: dict[bytes, bytes] = pyarrow.parquet.read_schema(path).metadata or {}
    except (pyarrow.ArrowInvalid, OSError):
        return b""
    return metadata.get(CONTENT, b"")


class SqlStore:
    """Table `features_<view>`, written beside and renamed in one transaction with its version."""

    def __init__(self, url: str) -> None:
        self._url = url

    def replace(self, features: FeatureSet) -> bool:
        from records.feature_tables import feature_table, read_version, replace

        rows, key = features.rows, features.rows.view.key
        with self._engine() as engine:
            version = read_version(engine, rows.view.name)
            if version is not None and version.version == features.digest:
                return False
            tables = (
                feature_table(rows.view.name, key, rows.names),
                feature_table(rows.view.name, key, rows.names, suffix="_new"),
            )
            blocks = (
                [
                    {key: entity, **dict(zip(rows.names, without_nan(row), strict=True))}
                    for entity, row in block
                ]
                for block in features.blocks(ROWS_PER_WRITE)
            )
            replace(engine, tables, blocks, _version(features))
        return True

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        from sqlalchemy.exc import SQLAlchemyError

        from records.engine import open_engine

        engine = open_engine(self._url, answer_seconds=None)
        try:
            yield engine
        except SQLAlchemyError as error:
            raise FeatureStoreFailed(f"the database refused: {type(error).__name__}") from error
        finally:
            engine.dispose()


def _version(features: FeatureSet) -> dict[str, Any]:
    return {
        "view": features.rows.view.name,
        "version": features.digest,
        "digest": features.rows.digest,
        "rows": len(features.keys),
        "written_at": time.time(),
    }


class RedisStore:
    """One hash per view (`modelkit.redis_features`), written beside and renamed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def replace(self, features: FeatureSet) -> bool:
        from redis import Redis
        from redis.exceptions import RedisError

        try:
            with Redis.from_url(self._url, socket_timeout=REDIS_TIMEOUT_SECONDS) as client:
                return _replace_hash(client, features)
        except RedisError as error:
            raise FeatureStoreFailed(f"Redis refused: {type(error).__name__}") from error


def _replace_hash(client: Any, features: FeatureSet) -> bool:
    rows, name = features.rows, set_name(features.rows.view.name)
    if _content_in_redis(client, name) == features.digest:
        return False
    suffix = uuid.uuid4().hex.encode()
    beside, old = name + b":new:" + suffix, name + b":old:" + suffix
    for block in features.blocks(ROWS_PER_WRITE):
        with client.pipeline(transaction=False) as pipeline:
            pipeline.hset(beside, mapping={row_field(key): rows.pack(row) for key, row in block})
            pipeline.expire(beside, UNFINISHED_SECONDS)
            pipeline.execute()
    meta = rows.meta(rows=len(features.keys), written_at=time.time(), content=features.digest)
    client.hset(beside, META_FIELD, msgspec.json.encode(meta))
    with client.pipeline(transaction=True) as pipeline:
        if client.exists(name):
            pipeline.rename(name, old)  # freed beside the requests below, not by the rename
        pipeline.rename(beside, name)
        pipeline.persist(name)
        pipeline.execute()
    client.unlink(old)
    return True


def _content_in_redis(client: Any, name: bytes) -> str:
    try:
        return msgspec.json.decode(client.hget(name, META_FIELD) or b"", type=FeatureSetMeta).content
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
