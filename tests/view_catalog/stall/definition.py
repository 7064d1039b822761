"""Days to a place: an unknown place, or none, is answered with the row of all places together."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from modelkit.columns import Columns
from modelkit.definition import FeatureView, ModelDefinition, Task
from modelkit.schema import RequestModel


class StallRequest(RequestModel):
    """One parcel."""

    weight: float = Field(ge=0)
    place: str | None = None


class PlaceRow(RequestModel):
    """What is known of a place."""

    mean_days: float = Field(ge=0)


def build(columns: Columns) -> Columns:
    return {name: columns[name].astype(np.float64) for name in ("weight", "mean_days")}


DEFINITION = ModelDefinition(
    name="stall",
    registry_name="Stall",
    owner="tests",
    task=Task.REGRESSION,
    units="days",
    description="Days to a place.",
    request=StallRequest,
    build=build,
    feature_columns=("weight", "mean_days"),
    target="days",
    gates=(),
    path="/days_to",
    examples=({"weight": 1.5, "place": "leeds"},),
    view=FeatureView(name="places", key="place", row=PlaceRow, default_key="*"),
)
