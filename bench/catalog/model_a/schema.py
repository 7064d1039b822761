"""What a request for model A holds: eight numbers and two categories."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from modelkit.schema import RequestModel

Zone = Literal["centre", "north", "east", "south", "west", "airport"]
Vehicle = Literal["bicycle", "scooter", "motorcycle", "car"]


class ModelARequest(RequestModel):
    distance_km: Annotated[float, Ge(0), Le(100)]
    preparation_minutes: Annotated[float, Ge(0), Le(120)]
    courier_age_years: Annotated[float, Ge(16), Le(90)]
    courier_rating: Annotated[float, Ge(1), Le(5)]
    temperature_celsius: Annotated[float, Ge(-40), Le(60)]
    item_count: Annotated[float, Ge(1), Le(100)]
    order_value: Annotated[float, Ge(0), Le(10_000)]
    hour_of_day: Annotated[float, Ge(0), Le(24)]
    zone: Zone
    vehicle: Vehicle
