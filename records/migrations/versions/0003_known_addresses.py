"""Addresses that an account has logged in from, by key: asking costs the same whoever it is about.

Only adds: code of the revision before goes on with these tables as it did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "known_addresses",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_known_addresses"),
        sa.UniqueConstraint("key", name="uq_known_addresses_key"),
    )
    op.create_index("ix_known_addresses_last_login_at", "known_addresses", ["last_login_at"])


def downgrade() -> None:
    op.drop_table("known_addresses")
