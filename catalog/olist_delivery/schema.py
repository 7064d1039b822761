"""The request of olist-delivery: three fields that every caller has, and what else a shop knows when an order is placed."""

from __future__ import annotations

from typing import Any

from pydantic import Field, NaiveDatetime

from catalog._olist.states import State
from modelkit.schema import RequestModel


def _required(description: str, unit: str | None = None, **bounds: Any) -> Any:
    return Field(description=description, json_schema_extra={"unit": unit} if unit else {}, **bounds)


def _optional(description: str, unit: str | None = None, **bounds: Any) -> Any:
    return _required(description, unit, default=None, **bounds)


class OlistDeliveryRequest(RequestModel):
    """One order, from one seller or several. Without a time of purchase it is taken to be bought now."""

    seller_zip_code_prefix: int = _required(
        "First five digits of the seller's ZIP code, as a number: 01037 is 1037", ge=0, le=99_999
    )
    customer_lat: float = _required("Latitude of the customer", "degrees", ge=-90, le=90)
    customer_lng: float = _required("Longitude of the customer", "degrees", ge=-180, le=180)
    purchased_at: NaiveDatetime | None = _optional("Local time of the purchase", "local time")
    promised_at: NaiveDatetime | None = _optional("Delivery date promised to the customer", "local time")
    hand_over_by: NaiveDatetime | None = _optional(
        "When the last seller must have handed the parcel to the carrier", "local time"
    )
    customer_state: State | None = _optional("State of the customer")
    seller_lat: float | None = _optional("Latitude of the seller", "degrees", ge=-90, le=90)
    seller_lng: float | None = _optional("Longitude of the seller", "degrees", ge=-180, le=180)
    seller_state: State | None = _optional("State of the seller")
    price: float | None = _optional("Price of all items", "BRL", ge=0, le=1_000_000)
    freight_value: float | None = _optional("Freight of all items", "BRL", ge=0, le=100_000)
    weight_g: float | None = _optional("Weight of all products", "g", gt=0, le=10_000_000)
    volume_cm3: float | None = _optional("Volume of all products", "cm3", gt=0, le=1_000_000_000)
    item_count: int | None = _optional("Items in the order", "items", ge=1, le=1_000)
    seller_count: int | None = _optional("Sellers who share the order", "sellers", ge=1, le=1_000)
