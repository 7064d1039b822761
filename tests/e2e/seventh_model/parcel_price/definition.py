"""The declaration of parcel-price: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.parcel_price.features import FEATURE_COLUMNS, build
from catalog.parcel_price.schema import ParcelPriceRequest

from modelkit.definition import ModelDefinition, Task
from modelkit.gates import Gate

DEFINITION = ModelDefinition(
    name="parcel-price",
    registry_name="ParcelPriceModel",
    owner="shipping",
    task=Task.REGRESSION,
    units="EUR",
    description="Price of sending a parcel.",
    request=ParcelPriceRequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="price",
    gates=(
        Gate(name="mean error", metric="overall.mae", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=0.01),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
    ),
    examples=(
        {"weight_kg": 2.5, "distance_km": 120.0, "zone": "city"},
        {"weight_kg": 12.0, "distance_km": 900.0},
    ),
    slices=("zone",),
    drift_columns=("weight_kg", "distance_km", "zone"),
    least=0.0,
)
