"""The declaration of iris: what the rest of the product knows about it."""

from __future__ import annotations

from catalog.iris.features import FEATURE_COLUMNS, build
from catalog.iris.schema import IrisRequest
from modelkit.definition import ModelDefinition, ServiceLevel, Task
from modelkit.gates import Gate

CLASSES = ("setosa", "versicolor", "virginica")

DEFINITION = ModelDefinition(
    name="iris",
    registry_name="IrisSpeciesClassifier",
    owner="platform",
    task=Task.CLASSIFICATION,
    units="probability",
    description="Species of an iris flower, with a probability for each.",
    request=IrisRequest,
    build=build,
    feature_columns=FEATURE_COLUMNS,
    target="species",
    gates=(
        Gate(name="cross-validated accuracy", metric="cross_validation.accuracy", at_least=0.975),
        # Certain and wrong is punished hardest: a well calibrated model stays far below.
        Gate(name="calibration", metric="cross_validation.log_loss", at_most=0.08),
        Gate(name="accuracy", metric="overall.accuracy", at_least=0.90),
        Gate(name="extreme error", metric="overall.log_loss", at_most=0.5),
        Gate(name="worst slice", metric="worst_slice.accuracy", at_least=0.70),
        Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
        Gate(name="compile parity", metric="parity.max_abs_difference", at_most=1e-4),
        Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
        Gate(name="size", metric="size.model_bytes", at_most=1_000_000),
    ),
    examples=(
        {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2},
        {"sepal_length": 6.0, "sepal_width": 2.8, "petal_length": 4.5, "petal_width": 1.4},
        {"sepal_length": 6.7, "sepal_width": 3.1, "petal_length": 5.6, "petal_width": 2.4},
    ),
    classes=CLASSES,
    drift_columns=FEATURE_COLUMNS,
    cache_ttl_seconds=3600,
    service_level=ServiceLevel(availability=0.999, latency_p99_ms=50.0),
)
