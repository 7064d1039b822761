"""The request of order-delivery: when and where to, and what else the shop knows when the order is placed."""

from __future__ import annotations

from typing import Any

from pydantic import Field, NaiveDatetime

from catalog._olist.states import State
from modelkit.schema import RequestModel


def _required(description: str, unit: str | None = None, **bounds: Any) -> Any:
    return Field(description=description, json_schema_extra={"unit": unit} if unit else {}, **bounds)


def _optional(description: str, unit: str | None = None, **bounds: Any) -> Any:
    return _required(description, unit, default=None, **bounds)


class OrderDeliveryRequest(RequestModel):
    """One order, whoever sells it."""

    purchased_at: NaiveDatetime = _required("Local time of the purchase", "local time")
    destination_state: State = _required("State that the order goes to")
    promised_at: NaiveDatetime | None = _optional("Delivery date promised to the customer", "local time")
    dispatch_by: NaiveDatetime | None = _optional(
        "When the last parcel must have been handed to the carrier", "local time"
    )
    origin_state: State | None = _optional("State that the order comes from")
    distance_km: float | None = _optional("Straight line from seller to customer", "km", ge=0, le=20_100)
    order_value: float | None = _optional("Price of all items", "BRL", ge=0, le=1_000_000)
    shipping_cost: float | None = _optional("Freight of all items", "BRL", ge=0, le=100_000)
    weight_kg: float | None = _optional("Weight of all products", "kg", gt=0, le=10_000)
    volume_litres: float | None = _optional("Volume of all products", "l", gt=0, le=1_000_000)
    items: int | None = _optional("Items in the order", "items", ge=1, le=1_000)
    sellers: int | None = _optional("Sellers who share the order", "sellers", ge=1, le=1_000)
