"""What compares versions and ties records together: bounds, traces, A/B keys and arms of predictions, the errors that feedback
showed, and who was erased.

Only adds: code of the revision before goes on with these tables as it did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in _prediction_columns():
        op.add_column("predictions", column)
    for column in _feedback_columns():
        op.add_column("feedback", column)
    op.create_index("ix_feedback_scored_at_created_at", "feedback", ["scored_at", "created_at"])
    op.add_column("shadow_predictions", sa.Column("answered_latency_ms", sa.Double(), nullable=True))
    op.create_table(
        "erasures",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("erased_before", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sa.UniqueConstraint("kind", "digest", name="uq_erasures_kind_digest"),
    )


def downgrade() -> None:
    op.drop_table("erasures")
    op.drop_column("shadow_predictions", "answered_latency_ms")
    op.drop_index("ix_feedback_scored_at_created_at", "feedback")
    for column in _feedback_columns():
        op.drop_column("feedback", column.name)
    for column in _prediction_columns():
        op.drop_column("predictions", column.name)


def _prediction_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("lower", sa.Double(), nullable=True),
        sa.Column("upper", sa.Double(), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=True),
        sa.Column("split_key", sa.String(), nullable=True),
        sa.Column("arm", sa.String(), nullable=True),
    ]


def _feedback_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("absolute_error", sa.Double(), nullable=True),
        sa.Column("correct", sa.Boolean(), nullable=True),
        sa.Column("scored_at", MOMENT, nullable=True),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("scores", sa.Integer(), nullable=False, server_default="0"),
    ]
