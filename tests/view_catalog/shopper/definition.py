"""Value of a user's next basket, as seed 004 asks for it: by `user_id`, answered with `predicted_price`."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from modelkit.columns import Columns
from modelkit.definition import FeatureView, ModelDefinition, Task
from modelkit.schema import RequestModel


class ShopperRequest(RequestModel):
    """One user."""

    user_id: str = Field(min_length=1, max_length=64)


class Habits(RequestModel):
    """What is known of a user."""

    spent: float = Field(ge=0)
    visits: int = Field(ge=0)
    days_between: float | None = None


def build(columns: Columns) -> Columns:
    return {name: columns[name].astype(np.float64) for name in ("spent", "visits", "days_between")}


DEFINITION = ModelDefinition(
    name="shopper",
    registry_name="Shopper",
    owner="tests",
    task=Task.REGRESSION,
    units="GBP",
    description="Value of the next basket.",
    request=ShopperRequest,
    build=build,
    feature_columns=("spent", "visits", "days_between"),
    target="value",
    gates=(),
    examples=({"user_id": "ada"},),
    answer_field="predicted_price",
    echo=("user_id",),
    timestamp=True,
    view=FeatureView(name="habits", key="user_id", row=Habits),
)
