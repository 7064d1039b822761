"""Identity: clients beside people, revocations, failed logins, and what administrators did.

Only adds: code of the revision before goes on with these tables as it did, and takes clients for people.

The way back disables clients, since 0001 cannot tell them from people: after another way forward they are people who are
disabled. It forgets what was revoked: those tokens are good again until they expire, unless their key is replaced.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("revocations", "login_failures", "identity_events")


def upgrade() -> None:
    op.add_column("users", sa.Column("kind", sa.String(), nullable=False, server_default="person"))
    op.add_column("login_sessions", _moment("last_used_at", nullable=True))
    op.create_table(
        "revocations",
        _id(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        _moment("issued_before"),
        _moment("expires_at"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_revocations"),
    )
    op.create_index("ix_revocations_expires_at", "revocations", ["expires_at"])
    op.create_table(
        "login_failures",
        _id(),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _moment("last_failed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_login_failures"),
        sa.UniqueConstraint("key", name="uq_login_failures_key"),
    )
    op.create_index("ix_login_failures_last_failed_at", "login_failures", ["last_failed_at"])
    op.create_table(
        "identity_events",
        _id(),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_events"),
    )
    op.create_index("ix_identity_events_created_at", "identity_events", ["created_at"])


def downgrade() -> None:
    op.execute(
        "UPDATE users SET disabled_at = CURRENT_TIMESTAMP WHERE kind <> 'person' AND disabled_at IS NULL"
    )
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_column("login_sessions", "last_used_at")
    op.drop_column("users", "kind")


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
