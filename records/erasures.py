"""Who was erased, and what that means for a record that arrives afterwards: it lay in some pod's spool meanwhile.

The digest has no key: agents of every pod would have to hold it, and they hold none on purpose. It keeps names out of sight
and out of dumps, not from somebody who tries names; so it goes when no record that old can be kept any more
(`records.retention`). The pseudonym is the row's number, from which nobody gets back to the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from records.columns import UtcDateTime, utc_now
from records.prediction_record import PredictionRecord
from records.tables import Erasure
from records.withheld import ERASED

SUBJECT = "subject"
ADVISORY_LOCK = 5_107_340_132  # any number; see `hold_shared`
_PERSON = b"slipway erasure"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, kw_only=True)
class Person:
    """A caller (`kind` is SUBJECT), or somebody whom requests name: `<model>.<field>`."""

    kind: str
    value: str

    @property
    def digest(self) -> str:
        return digest(self.kind, self.value)

    @property
    def model(self) -> str:
        return self.kind.partition(".")[0]

    @property
    def field(self) -> str:
        return self.kind.partition(".")[2]


def digest(kind: str, value: str) -> str:
    named = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=32, person=_PERSON).hexdigest()


def pseudonym(number: int) -> str:
    """No user's name has a slash, and every other issuer's subject has a colon."""
    return f"erased/{number}"


class Erased:
    """The erasures that may concern some records."""

    def __init__(self, rows: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        self._rows = rows
        self._fields = {kind.partition(".")[::2] for kind, _ in rows if kind != SUBJECT}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def apply(self, record: PredictionRecord) -> PredictionRecord:
        """The record as it would be, had it been there when the person was erased."""
        found = self._rows.get((SUBJECT, digest(SUBJECT, record.subject)))
        if found is not None and record.created_at < found[1]:
            return _bare(record, subject=pseudonym(found[0]), user_id=None)
        for model, field in self._fields:
            if record.model == model and self._names_one(record, field):
                return _bare(record)
        return record

    def _names_one(self, record: PredictionRecord, field: str) -> bool:
        kind, value = f"{record.model}.{field}", as_text(_named(record, field))
        found = self._rows.get((kind, digest(kind, value))) if value is not None else None
        return found is not None and record.created_at < found[1]


def _named(record: PredictionRecord, field: str) -> Any:
    try:
        return _decode(record.features).get(field)
    except msgspec.DecodeError:  # no row of ours
        return None


def as_text(value: Any) -> str | None:
    """A field's value as it is named on a command line, and as both databases give it."""
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _bare(record: PredictionRecord, **changes: Any) -> PredictionRecord:
    bare = {"features": msgspec.Raw(ERASED), "request_id": "", "trace_id": "", "split_key": ""}
    return msgspec.structs.replace(record, **{**bare, **changes})


def write_down(connection: Connection, person: Person, *, before: datetime) -> int:
    """The number of the person's erasure. Whoever ships is waited for, and then knows of it."""
    hold(connection)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(Erasure).values(
        kind=person.kind, digest=person.digest, erased_before=before, created_at=utc_now()
    )
    again = row.on_conflict_do_update(
        index_elements=[Erasure.kind, Erasure.digest],
        set_={"erased_before": before, "created_at": row.excluded.created_at},
    )
    return int(connection.execute(again.returning(Erasure.id)).scalar_one())


def concerning(connection: Connection, records: Sequence[PredictionRecord]) -> Erased:
    """To be asked in the transaction that writes the records: nobody is erased until it ends."""
    hold_shared(connection)
    oldest = datetime.fromtimestamp(min(record.created_at for record in records), UTC)
    columns = select(Erasure.id, Erasure.kind, Erasure.digest, Erasure.erased_before)
    rows = connection.execute(columns.where(Erasure.erased_before > oldest))
    return Erased({(row.kind, row.digest): (row.id, row.erased_before.timestamp()) for row in rows})


def name_of(connection: Connection, subject: str, now: datetime) -> str:
    """Of a caller who says something now: the pseudonym of one who was erased a moment ago, and has a token still."""
    hold_shared(connection)
    asked = select(Erasure.id).where(Erasure.kind == SUBJECT, Erasure.digest == digest(SUBJECT, subject))
    number = connection.scalar(asked.where(Erasure.erased_before > now))
    return subject if number is None else pseudonym(number)


def latest(engine: Engine) -> datetime | None:
    """The last moment at which a record could be one of somebody who was erased."""
    with engine.connect() as connection:
        return connection.scalar(select(func.max(Erasure.erased_before, type_=UtcDateTime())))


def hold(connection: Connection) -> None:
    """Alone until the transaction ends. On SQLite every writer is."""
    _lock(connection, "pg_advisory_xact_lock")


def hold_shared(connection: Connection) -> None:
    """With everybody else who ships: one that had looked before an erasure, and committed after it, would bring it back."""
    _lock(connection, "pg_advisory_xact_lock_shared")


def _lock(connection: Connection, function: str) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT {function}({ADVISORY_LOCK})")
