"""The declaration of food-delivery: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.food_delivery.features import FEATURE_COLUMNS, build
from catalog.food_delivery.schema import FoodDeliveryRequest
from modelkit.definition import ModelDefinition, ServiceLevel, Task
from modelkit.gates import Gate

FULL = {
    "rider_age": 32,
    "rider_rating": 4.6,
    "restaurant_latitude": 12.9341,
    "restaurant_longitude": 77.6152,
    "delivery_latitude": 12.9841,
    "delivery_longitude": 77.6652,
    "ordered_at": "2022-03-18T19:45:00",
    "picked_up_at": "2022-03-18T19:55:00",
    "weather": "cloudy",
    "road_traffic": "jam",
    "vehicle_condition": 1,
    "order_type": "meal",
    "vehicle_type": "motorcycle",
    "multiple_deliveries": 1,
    "festival": False,
    "city": "metropolitan",
}
# As the request looks before the kitchen is ready, and from an app that knows neither rider nor weather.
BEFORE_PICK_UP = {name: value for name, value in FULL.items() if name != "picked_up_at"}
SPARSE = {
    "restaurant_latitude": 0.0,
    "restaurant_longitude": 0.0,
    "delivery_latitude": 0.03,
    "delivery_longitude": 0.03,
    "ordered_at": "2022-03-19T09:10:00",
    "road_traffic": "low",
    "city": "urban",
}

DEFINITION = ModelDefinition(
    name="food-delivery",
    registry_name="FoodDeliveryTimeModel",
    owner="delivery-experience",
    task=Task.REGRESSION,
    units="minutes",
    description="Minutes from order to door, promised when the order is placed.",
    request=FoodDeliveryRequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="delivery_minutes",
    gates=(
        Gate(name="explained variance", metric="overall.r2", at_least=0.70),
        Gate(name="mean error", metric="overall.mae", at_most=3.5),
        Gate(name="extreme error", metric="overall.p99_abs_error", at_most=14.0),
        Gate(name="worst slice", metric="worst_slice.mae", at_most=6.0),
        Gate(name="interval coverage", metric="interval.coverage", at_least=0.85),
        Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=0.1),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
        Gate(name="size", metric="size.model_bytes", at_most=15_000_000),
    ),
    examples=(FULL, BEFORE_PICK_UP, SPARSE),
    most=100_000.0,
    slices=("city", "road_traffic", "weather", "vehicle_type", "festival", "multiple_deliveries"),
    drift_columns=(
        "rider_age",
        "rider_rating",
        "restaurant_latitude",
        "delivery_latitude",
        "weather",
        "road_traffic",
        "vehicle_condition",
        "order_type",
        "vehicle_type",
        "multiple_deliveries",
        "festival",
        "city",
    ),
    cache_ttl_seconds=300,
    service_level=ServiceLevel(availability=0.999, latency_p99_ms=100.0),
)
