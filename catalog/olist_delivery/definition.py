"""The declaration of olist-delivery: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.olist_delivery.features import FEATURE_COLUMNS, build
from catalog.olist_delivery.schema import OlistDeliveryRequest
from modelkit.definition import ModelDefinition, ServiceLevel, Task
from modelkit.gates import Gate

# São Paulo to Recife, with everything that a shop knows.
FULL = {
    "seller_zip_code_prefix": 13023,
    "customer_lat": -8.0631,
    "customer_lng": -34.8711,
    "purchased_at": "2018-07-10T15:04:00",
    "promised_at": "2018-08-03T00:00:00",
    "hand_over_by": "2018-07-13T15:04:00",
    "customer_state": "PE",
    "seller_lat": -22.8972,
    "seller_lng": -47.0587,
    "seller_state": "SP",
    "price": 129.9,
    "freight_value": 27.4,
    "weight_g": 900.0,
    "volume_cm3": 4200.0,
    "item_count": 1,
    "seller_count": 1,
}
# What the first clients send.
PLACES_ONLY = {"seller_zip_code_prefix": 1037, "customer_lat": -23.5483, "customer_lng": -46.6354}
BEFORE_THE_PROMISE = {
    name: value for name, value in FULL.items() if name not in ("promised_at", "hand_over_by", "seller_count")
}

DEFINITION = ModelDefinition(
    name="olist-delivery",
    registry_name="OlistDeliveryTimeModel",
    owner="marketplace-logistics",
    task=Task.REGRESSION,
    units="days",
    description="Days from purchase to delivery of a marketplace order in Brazil.",
    request=OlistDeliveryRequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="delivery_days",
    gates=(
        Gate(name="explained variance", metric="overall.r2", at_least=0.20),
        Gate(name="mean error", metric="overall.mae", at_most=4.0),
        Gate(name="extreme error", metric="overall.p99_abs_error", at_most=30.0),
        Gate(name="worst slice", metric="worst_slice.mae", at_most=9.0),
        Gate(name="interval coverage", metric="interval.coverage", at_least=0.80),
        Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=0.01),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
        Gate(name="size", metric="size.model_bytes", at_most=15_000_000),
    ),
    examples=(FULL, BEFORE_THE_PROMISE, PLACES_ONLY),
    least=0.0,
    most=10_000.0,
    path="/delivery_time",
    slices=("customer_state", "seller_state", "item_count"),
    drift_columns=(
        *("customer_lat", "customer_lng", "customer_state", "seller_zip_code_prefix", "seller_state"),
        *("price", "freight_value", "weight_g", "volume_cm3", "item_count", "seller_count"),
    ),
    cache_ttl_seconds=300,
    service_level=ServiceLevel(availability=0.999, latency_p99_ms=100.0),
)
