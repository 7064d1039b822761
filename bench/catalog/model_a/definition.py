"""Model A as the service sees it: a declaration like any product's, trained by `bench.model_a`."""

from __future__ import annotations

from bench.catalog.model_a.features import FEATURE_COLUMNS, build
from bench.catalog.model_a.schema import ModelARequest
from modelkit.definition import ModelDefinition, Task

DEFINITION = ModelDefinition(
    name="model-a",
    registry_name="BenchModelA",
    owner="bench",
    task=Task.REGRESSION,
    units="minutes",
    description="CatBoost, 500 trees of depth 6 on synthetic deliveries: a fixture of the benchmark.",
    request=ModelARequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="minutes",
    gates=(),
    examples=(
        {
            "distance_km": 4.25,
            "preparation_minutes": 12.5,
            "courier_age_years": 31.5,
            "courier_rating": 4.5,
            "temperature_celsius": 21.5,
            "item_count": 3.0,
            "order_value": 42.75,
            "hour_of_day": 18.5,
            "zone": "north",
            "vehicle": "scooter",
        },
    ),
)
