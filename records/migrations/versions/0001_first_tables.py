"""The first tables. Says its own types instead of importing ours, so that it stays what it was."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "users",
    "login_sessions",
    "refresh_tokens",
    "predictions",
    "feedback",
    "shadow_predictions",
    "model_events",
    "model_metrics",
    "batches",
)


def upgrade() -> None:
    _create_users()
    _create_login_sessions()
    _create_refresh_tokens()
    _create_predictions()
    _create_feedback()
    _create_shadow_predictions()
    _create_model_events()
    _create_model_metrics()
    _create_batches()


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)


def _create_users() -> None:
    op.create_table(
        "users",
        _id(),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        _moment("disabled_at", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username", name="uq_users_username"),
    )


def _create_login_sessions() -> None:
    op.create_table(
        "login_sessions",
        _id(),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_login_sessions_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_login_sessions"),
        sa.UniqueConstraint("token_id", name="uq_login_sessions_token_id"),
    )
    _index("login_sessions", "user_id")


def _create_refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        _id(),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("family_id", sa.String(), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        _moment("issued_at"),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_refresh_tokens_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_refresh_tokens_token_hash"),
    )
    _index("refresh_tokens", "family_id")
    _index("refresh_tokens", "user_id")


def _create_predictions() -> None:
    op.create_table(
        "predictions",
        _id(),
        sa.Column("prediction_id", sa.String(), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("predicted_value", sa.Double(), nullable=True),
        sa.Column("prediction", sa.JSON(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_predictions_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_predictions"),
        sa.UniqueConstraint("prediction_id", name="uq_predictions_prediction_id"),
    )
    _index("predictions", "model", "created_at")
    _index("predictions", "subject", "created_at")


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        _id(),
        sa.Column("prediction_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("actual_value", sa.Double(), nullable=True),
        sa.Column("actual", sa.JSON(), nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("prediction_id", name="uq_feedback_prediction_id"),
    )
    _index("feedback", "created_at")


def _create_shadow_predictions() -> None:
    op.create_table(
        "shadow_predictions",
        _id(),
        sa.Column("prediction_id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("predicted_value", sa.Double(), nullable=True),
        sa.Column("prediction", sa.JSON(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_predictions"),
        sa.UniqueConstraint("prediction_id", "version", name="uq_shadow_predictions_prediction_id_version"),
    )
    _index("shadow_predictions", "model", "created_at")


def _create_model_events() -> None:
    op.create_table(
        "model_events",
        _id(),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("from_version", sa.String(), nullable=True),
        sa.Column("to_version", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_model_events"),
    )
    _index("model_events", "model", "created_at")


def _create_model_metrics() -> None:
    op.create_table(
        "model_metrics",
        _id(),
        _moment("timestamp"),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("share_missing_values", sa.Double(), nullable=True),
        sa.Column("prediction_drift", sa.Double(), nullable=True),
        sa.Column("num_drifted_columns", sa.Integer(), nullable=True),
        sa.Column("value_range_share_in_range", sa.Double(), nullable=True),
        sa.Column("prediction_corr_with_features", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_model_metrics"),
    )
    _index("model_metrics", "model", "timestamp")


def _create_batches() -> None:
    op.create_table(
        "batches",
        _id(),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=True),
        sa.Column("rejected_count", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        _moment("started_at"),
        _moment("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("batch_id", name="uq_batches_batch_id"),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    op.create_index("_".join(("ix", table, *columns)), table, columns)
