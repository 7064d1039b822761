"""The request of food-delivery: what is known when the promise is made to the customer.

Every field may be absent: rider apps lose ages, kitchens lose order times, and an answer is still owed.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NaiveDatetime

from modelkit.schema import RequestModel

Weather = Literal["sunny", "stormy", "sandstorms", "windy", "fog", "cloudy"]
Traffic = Literal["low", "medium", "high", "jam"]
OrderType = Literal["meal", "snack", "drinks", "buffet"]
VehicleType = Literal["motorcycle", "scooter", "electric_scooter", "bicycle"]
City = Literal["urban", "metropolitan", "semi-urban"]


def _optional(description: str, unit: str | None = None, **bounds: Any) -> Any:
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    return Field(default=None, description=description, json_schema_extra=extra, **bounds)


class FoodDeliveryRequest(RequestModel):
    """One delivery. A flipped sign or a (0, 0) placeholder in the coordinates is repaired, not refused."""

    rider_age: float | None = _optional("Age of the rider", "years", ge=18, le=100)
    rider_rating: float | None = _optional("Mean rating of the rider", "stars", ge=1, le=5)
    restaurant_latitude: float | None = _optional("Latitude of the restaurant", "degrees", ge=-90, le=90)
    restaurant_longitude: float | None = _optional("Longitude of the restaurant", "degrees", ge=-180, le=180)
    delivery_latitude: float | None = _optional("Latitude of the door", "degrees", ge=-90, le=90)
    delivery_longitude: float | None = _optional("Longitude of the door", "degrees", ge=-180, le=180)
    ordered_at: NaiveDatetime | None = _optional("Local time of the order", "local time")
    picked_up_at: NaiveDatetime | None = _optional("Local time of pick-up, once it is known", "local time")
    weather: Weather | None = _optional("Weather on the way")
    road_traffic: Traffic | None = _optional("Density of the traffic")
    vehicle_condition: int | None = _optional("Condition of the vehicle, 0 is worst", "grade", ge=0, le=3)
    order_type: OrderType | None = _optional("What was ordered")
    vehicle_type: VehicleType | None = _optional("What the rider drives")
    multiple_deliveries: int | None = _optional("Other deliveries on the same trip", "deliveries", ge=0, le=3)
    festival: bool | None = _optional("Whether it is a festival day")
    city: City | None = _optional("Kind of city")
