"""A model's declaration: the one object of `catalog/<model>/` that training, serving, load tests and monitoring read."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from modelkit.columns import Columns
from modelkit.gates import Gate
from modelkit.schema import RequestModel


class Task(StrEnum):
    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True, kw_only=True)
class ServiceLevel:
    """What callers may expect of a model: share of answers without error, and latency in milliseconds at the 99th percentile."""

    availability: float = 0.999
    latency_p99_ms: float = 250.0


@dataclass(frozen=True, kw_only=True)
class ModelDefinition:
    """Everything about a model that is a contract. What changes in an experiment lives in `params.yaml` instead.

    `build` is `features.build`: request columns in, feature columns out, each of shape (rows,), stateless.
    `classes` are the labels of a classifier, in the order of its probability columns.
    `answer_field` names an extra field of the answer that repeats the prediction (a seed's client may expect it).
    """

    name: str
    registry_name: str
    owner: str
    task: Task
    units: str
    description: str
    request: type[RequestModel]
    build: Callable[[Columns], Columns]
    feature_columns: tuple[str, ...]
    target: str
    gates: tuple[Gate, ...]
    examples: tuple[Mapping[str, Any], ...]
    classes: tuple[str, ...] = ()
    answer_field: str | None = None
    slices: tuple[str, ...] = ()
    drift_columns: tuple[str, ...] = ()
    cache_ttl_seconds: int = 300
    service_level: ServiceLevel = field(default_factory=ServiceLevel)

    def __post_init__(self) -> None:
        if (self.task is Task.CLASSIFICATION) != bool(self.classes):
            raise ValueError(f"{self.name}: a classifier, and only a classifier, names its classes")
        if not self.examples:
            raise ValueError(f"{self.name}: at least one example request is needed")

    @property
    def package(self) -> str:
        """The package in the catalog, for example `food_delivery`."""
        return self.name.replace("-", "_")


def load_catalog(package: str = "catalog") -> dict[str, ModelDefinition]:
    """Every declaration under `package`, by model name. Adding a folder is all it takes to add a model."""
    root = importlib.import_module(package)
    definitions = {}
    for entry in sorted(pkgutil.iter_modules(root.__path__), key=lambda module: module.name):
        if entry.ispkg:
            module = importlib.import_module(f"{package}.{entry.name}.definition")
            definitions[module.DEFINITION.name] = module.DEFINITION
    return definitions
