"""The request of housing: one census block group, in the terms of scikit-learn's California housing data.

`MedInc` is `median_income`, `AveOccup` is `average_occupancy`, and so on.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from modelkit.schema import RequestModel

OceanProximity = Literal["inland", "within_hour_of_ocean", "near_ocean", "near_bay", "island"]


def _number(description: str, unit: str, **bounds: Any) -> Any:
    return Field(description=description, json_schema_extra={"unit": unit}, **bounds)


class HousingRequest(RequestModel):
    """One block group. Means are per household; places lie in California."""

    median_income: float = _number("Median income of its households", "10,000 USD a year", ge=0, le=50)
    house_age: float = _number("Median age of its houses", "years", ge=0, le=200)
    average_rooms: float = _number("Rooms per household", "rooms", gt=0, le=1000)
    average_bedrooms: float | None = _number("Bedrooms per household", "rooms", default=None, gt=0, le=1000)
    population: float = _number("People who live there", "people", ge=1, le=100_000)
    average_occupancy: float = _number("People per household", "people", gt=0, le=5000)
    latitude: float = _number("Latitude of its centre", "degrees", ge=32, le=42.5)
    longitude: float = _number("Longitude of its centre", "degrees", ge=-125, le=-114)
    ocean_proximity: OceanProximity | None = Field(
        default=None,
        description="Where it lies to the ocean; figures are kept by it, the place tells the model",
    )
