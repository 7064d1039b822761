"""The declaration of basket: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.basket.features import FEATURE_COLUMNS, build
from catalog.basket.schema import BasketFeatures, BasketRequest
from modelkit.definition import FeatureView, ModelDefinition, ServiceLevel, Task
from modelkit.gates import Gate

DEFINITION = ModelDefinition(
    name="basket",
    registry_name="BasketValueModel",
    owner="assortment",
    task=Task.REGRESSION,
    units="GBP",
    description="Value of a customer's next basket, from what the customer bought before.",
    request=BasketRequest,
    view=FeatureView(name="basket", key="user_id", row=BasketFeatures),
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="basket_value",
    gates=(
        # A single giant basket decides a mean: what is asked of it only catches disasters.
        Gate(name="usual error", metric="overall.median_abs_error", at_most=130.0),
        Gate(name="large error", metric="overall.p95_abs_error", at_most=1_100.0),
        Gate(name="mean error", metric="overall.mae", at_most=500.0),
        Gate(name="worst slice", metric="worst_slice.mae", at_most=1_500.0),
        Gate(name="interval coverage", metric="interval.coverage", at_least=0.82),
        Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=0.1),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
        Gate(name="size", metric="size.model_bytes", at_most=8_000_000),
    ),
    examples=(
        {"user_id": "12347", "ordered_at": "2011-11-21T10:30:00"},
        {"user_id": "12347"},
        {"user_id": "12362", "ordered_at": "2011-11-22T15:05:00"},
    ),
    answer_field="predicted_price",
    echo=("user_id",),
    timestamp=True,
    least=0.0,
    most=10_000_000.0,
    slices=("domestic",),
    drift_columns=(
        "prior_basket_value",
        "prior_item_count",
        "prior_regulars_count",
        "regulars_count",
        "basket_count",
        "median_value",
        "median_visit_gap",
        "follow_up_share",
        "cancelled_share",
        "mean_items",
        "last_median_price",
        "domestic",
    ),
    # A basket that was just ordered changes what is known of its customer.
    cache_ttl_seconds=60,
    service_level=ServiceLevel(availability=0.999, latency_p99_ms=100.0),
)
