"""The declaration of order-delivery: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.order_delivery.features import FEATURE_COLUMNS, build
from catalog.order_delivery.schema import OrderDeliveryRequest
from modelkit.definition import ModelDefinition, ServiceLevel, Task
from modelkit.gates import Gate

FULL = {
    "purchased_at": "2018-07-10T15:04:00",
    "destination_state": "PE",
    "promised_at": "2018-08-03T00:00:00",
    "dispatch_by": "2018-07-13T15:04:00",
    "origin_state": "SP",
    "distance_km": 2124.0,
    "order_value": 129.9,
    "shipping_cost": 27.4,
    "weight_kg": 0.9,
    "volume_litres": 4.2,
    "items": 1,
    "sellers": 1,
}
BEFORE_THE_PROMISE = {name: FULL[name] for name in FULL if name not in ("promised_at", "dispatch_by")}
SPARSE = {"purchased_at": "2018-07-14T22:10:00", "destination_state": "SP"}

DEFINITION = ModelDefinition(
    name="order-delivery",
    registry_name="OrderDeliveryTimeModel",
    owner="checkout",
    task=Task.REGRESSION,
    units="minutes",
    description="Minutes from purchase to delivery of an e-commerce order.",
    request=OrderDeliveryRequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="delivery_minutes",
    answer_field="predicted_minutes",
    gates=(
        Gate(name="explained variance", metric="overall.r2", at_least=0.20),
        Gate(name="mean error", metric="overall.mae", at_most=5_760),
        Gate(name="extreme error", metric="overall.p99_abs_error", at_most=43_200),
        Gate(name="worst slice", metric="worst_slice.mae", at_most=12_960),
        Gate(name="interval coverage", metric="interval.coverage", at_least=0.80),
        Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=1.0),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
        Gate(name="size", metric="size.model_bytes", at_most=15_000_000),
    ),
    examples=(FULL, BEFORE_THE_PROMISE, SPARSE),
    least=0.0,
    most=10_000_000.0,
    slices=("destination_state", "origin_state", "items"),
    drift_columns=(
        *("distance_km", "order_value", "shipping_cost", "weight_kg", "volume_litres", "items", "sellers"),
        *("destination_state", "origin_state"),
    ),
    cache_ttl_seconds=300,
    service_level=ServiceLevel(availability=0.999, latency_p99_ms=100.0),
)
