"""The tables, as SQLAlchemy models; `records/migrations` creates them, and a test keeps the two equal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, synonym

from records.columns import BigId, Document, UtcDateTime, utc_now

# Constraints carry names, so that a migration can drop them on both databases.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime(), Any: Document}  # noqa: RUF012 (read once by SQLAlchemy)


class User(Base):
    """Someone who can log in: a `person` by a password, a `client` by a secret that was made for it.

    Their row is never deleted, because sessions and events are told by it: who leaves is disabled, and who is erased
    (`records.erasing`) is disabled and loses name, password and scopes.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    scopes: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="person")
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LoginSession(Base):
    """One login and everything that was refreshed from it. `token_id` is the session's id: `sid` in its access tokens,
    `family_id` of its refresh tokens.
    """

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_id: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_tokens: Mapped[int] = mapped_column(default=0, server_default="0")  # access tokens, one by one


class RefreshToken(Base):
    """Hashed at rest; a token used twice revokes its whole family."""

    __tablename__ = "refresh_tokens"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    family_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    scopes: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Revocation(Base):
    """Access tokens that are refused before they expire: one (`token`), those of a login (`session`), or a caller's
    (`subject`), as far as they were issued up to `issued_before`. After `expires_at` all of them have expired anyway.
    """

    __tablename__ = "revocations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    value: Mapped[str]
    issued_before: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LoginFailure(Base):
    """How often logging in has failed lately, by account or by address. Accounts that do not exist count, too."""

    __tablename__ = "login_failures"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    failures: Mapped[int]
    last_failed_at: Mapped[datetime] = mapped_column(index=True)


class KnownAddress(Base):
    """That an account has logged in from an address, as one key of both; without the name, and the same for everybody."""

    __tablename__ = "known_addresses"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    last_login_at: Mapped[datetime] = mapped_column(index=True)


class IdentityEvent(Base):
    """What an administrator did to users, clients and sessions: never changed afterwards, but for names that are erased."""

    __tablename__ = "identity_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event: Mapped[str]
    actor: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[Any | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class Prediction(Base):
    """One answered row. `prediction` is what a classifier says beyond a number: its label and probabilities.

    `split_key` is what an A/B split was decided by, where that was not the subject; hashed. `arm` is how its version came to
    answer (`records.split_arms`); NULL where no split was at work.
    """

    __tablename__ = "predictions"
    __table_args__ = (Index(None, "model", "created_at"), Index(None, "subject", "created_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    prediction_id: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    request_id: Mapped[str]
    features: Mapped[Any] = mapped_column(nullable=False)
    predicted_value: Mapped[float | None]
    predicted_minutes: Mapped[float | None] = synonym("predicted_value")
    lower: Mapped[float | None]
    upper: Mapped[float | None]
    prediction: Mapped[Any | None]
    outcome: Mapped[str]
    cached: Mapped[bool]
    latency_ms: Mapped[float]
    trace_id: Mapped[str | None]
    split_key: Mapped[str | None]
    arm: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Feedback(Base):
    """What really happened. No foreign key: the truth may arrive before the prediction has left the spool.

    `scored_at` is when it met its prediction, whose model and version are then noted with the error: a number's distance,
    or whether a label was right. Truth that changes is scored again; `scores` counts how often there was a score.
    """

    __tablename__ = "feedback"
    __table_args__ = (Index(None, "scored_at", "created_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    prediction_id: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]
    actual_value: Mapped[float | None]
    actual: Mapped[Any | None]
    model: Mapped[str | None]
    version: Mapped[str | None]
    absolute_error: Mapped[float | None]
    correct: Mapped[bool | None]
    scored_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    changes: Mapped[int] = mapped_column(default=0, server_default="0")
    scores: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class ShadowPrediction(Base):
    """What another version would have answered to the row of `prediction_id`.

    `latency_ms` is what it took for the row, `answered_latency_ms` what the version that answered took, in the same process.
    """

    __tablename__ = "shadow_predictions"
    __table_args__ = (UniqueConstraint("prediction_id", "version"), Index(None, "model", "created_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    prediction_id: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    predicted_value: Mapped[float | None]
    prediction: Mapped[Any | None]
    outcome: Mapped[str]
    latency_ms: Mapped[float]
    answered_latency_ms: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Erasure(Base):
    """Whose records were erased, as a digest: what was still in a spool then is erased when it arrives.

    `kind` is `subject` for a caller, or `<model>.<field>` for somebody whom requests name. The row's id is the pseudonym.
    """

    __tablename__ = "erasures"
    __table_args__ = (UniqueConstraint("kind", "digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    digest: Mapped[str]
    erased_before: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ModelEvent(Base):
    """The ledger: one row for every move of an alias, never changed afterwards."""

    __tablename__ = "model_events"
    __table_args__ = (Index(None, "model", "created_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model: Mapped[str]
    version: Mapped[str]
    alias: Mapped[str]
    from_version: Mapped[str | None]
    to_version: Mapped[str | None]
    action: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    report: Mapped[Any | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ModelMetric(Base):
    """One run of the monitoring job over recent predictions."""

    __tablename__ = "model_metrics"
    __table_args__ = (Index(None, "model", "timestamp"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    timestamp: Mapped[datetime] = mapped_column(default=utc_now)
    model: Mapped[str]
    version: Mapped[str | None]
    share_missing_values: Mapped[float | None]
    prediction_drift: Mapped[float | None]
    num_drifted_columns: Mapped[int | None]
    value_range_share_in_range: Mapped[float | None]
    prediction_corr_with_features: Mapped[float | None]


class Batch(Base):
    """One run of offline prediction."""

    __tablename__ = "batches"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    version: Mapped[str]
    source: Mapped[str]
    destination: Mapped[str]
    status: Mapped[str]
    row_count: Mapped[int | None]
    rejected_count: Mapped[int | None]
    detail: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
