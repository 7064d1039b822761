"""The request of parcel-price: a parcel and how far it goes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelkit.schema import RequestModel


class ParcelPriceRequest(RequestModel):
    """One parcel. The zone may be left out; it is then taken as unknown."""

    weight_kg: float = Field(description="Weight", json_schema_extra={"unit": "kg"}, gt=0, le=50)
    distance_km: float = Field(
        description="Distance by road", json_schema_extra={"unit": "km"}, ge=0, le=5000
    )
    zone: Literal["city", "land", "island"] | None = Field(None, description="Kind of destination")
