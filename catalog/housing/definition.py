"""The declaration of housing: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.housing.features import FEATURE_COLUMNS, build
from catalog.housing.schema import HousingRequest
from modelkit.definition import ModelDefinition, ServiceLevel, Task
from modelkit.gates import Gate

BAY = {
    "median_income": 8.3252,
    "house_age": 41,
    "average_rooms": 6.98,
    "average_bedrooms": 1.02,
    "population": 322,
    "average_occupancy": 2.56,
    "latitude": 37.88,
    "longitude": -122.23,
    "ocean_proximity": "near_bay",
}
VALLEY = {
    "median_income": 2.1,
    "house_age": 28,
    "average_rooms": 4.9,
    "average_bedrooms": 1.08,
    "population": 1425,
    "average_occupancy": 3.1,
    "latitude": 36.74,
    "longitude": -119.79,
    "ocean_proximity": "inland",
}
# What a client of scikit-learn's data set knows: no class of ocean proximity, and here no count of bedrooms either.
REQUIRED_ONLY = {
    "median_income": 3.9,
    "house_age": 34,
    "average_rooms": 5.2,
    "population": 1100,
    "average_occupancy": 2.9,
    "latitude": 34.05,
    "longitude": -118.24,
}

DEFINITION = ModelDefinition(
    name="housing",
    registry_name="HousingPriceModel",
    owner="valuation",
    task=Task.REGRESSION,
    units="100k USD",
    description="Median house value of a Californian census block group, at the prices of 1990.",
    request=HousingRequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="median_house_value",
    gates=(
        Gate(name="root mean squared error", metric="overall.rmse", at_most=0.45),
        Gate(name="explained variance", metric="overall.r2", at_least=0.80),
        Gate(name="mean error", metric="overall.mae", at_most=0.32),
        Gate(name="extreme error", metric="overall.p99_abs_error", at_most=2.0),
        Gate(name="worst slice", metric="worst_slice.mae", at_most=0.45),
        Gate(name="interval coverage", metric="interval.coverage", at_least=0.82),
        Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=0.01),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
        Gate(name="size", metric="size.model_bytes", at_most=22_000_000),
    ),
    examples=(BAY, VALLEY, REQUIRED_ONLY),
    least=0.0,
    most=1_000.0,
    slices=("ocean_proximity",),
    drift_columns=tuple(HousingRequest.model_fields),
    cache_ttl_seconds=3600,
    service_level=ServiceLevel(availability=0.999, latency_p99_ms=100.0),
)
