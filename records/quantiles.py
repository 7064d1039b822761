"""Quantiles by the database: the same nearest ranks on PostgreSQL and on SQLite, which has no function for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select


def quantiles(connection: Connection, asked: Select[Any], shares: Sequence[float]) -> list[float] | None:
    """Of the one column of numbers that is asked for; None where it has none."""
    values = asked.subquery()
    (column,) = values.c
    known = select(column).where(column.is_not(None))
    count = connection.scalar(select(func.count()).select_from(known.subquery())) or 0
    if not count:
        return None
    ranks = [min(count - 1, max(0, math.ceil(share * count) - 1)) for share in shares]
    ordered = known.order_by(column).limit(1)
    return [float(connection.execute(ordered.offset(rank)).scalar_one()) for rank in ranks]
