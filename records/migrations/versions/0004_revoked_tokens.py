"""How many access tokens of a session were revoked one by one.

Only adds: code of the revision before goes on with these tables as it did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("revoked_tokens", sa.Integer(), nullable=False, server_default="0")
    op.add_column("login_sessions", column)


def downgrade() -> None:
    op.drop_column("login_sessions", "revoked_tokens")
