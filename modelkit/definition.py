"""A model's declaration: the one object of `catalog/<model>/` that training, serving, load tests and monitoring read."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import create_model

from modelkit.columns import Columns, column_dtype
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
class FeatureView:
    """Features of an entity that a request only names: materialised by training, looked up by serving.

    `key` is the request field (text) that names the entity, `row` the numbers kept for each; a field that may be absent
    has a default. An unknown entity is refused with 404, unless `default_key` names the row that stands in for it.
    """

    name: str
    key: str
    row: type[RequestModel]
    default_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelDefinition:
    """Everything about a model that is a contract. What changes in an experiment lives in `params.yaml` instead.

    `build` is `features.build`: row columns in, feature columns out, each of shape (rows,), stateless.
    `view` holds features that are looked up for the request; with it a row is the request plus the view's fields.
    `interval_coverage` is the share of answers of a regressor whose truth shall lie in `lower`..`upper`; `least` is a
    bound that no answer can be below, in the model's units. Truth that is farther from 0 than `most` is not believed: set it
    well beyond whatever happens.
    `classes` are the labels of a classifier, in the order of its probability columns.
    `answer_field` names an extra field of the answer that repeats the prediction (a seed's client may expect it);
    `echo` are fields of the request that the answer repeats, and `timestamp` adds when it was given. `path` is another
    address of the model, for clients that know no `/predict/{name}`.
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
    echo: tuple[str, ...] = ()
    timestamp: bool = False
    path: str | None = None
    view: FeatureView | None = None
    interval_coverage: float = 0.9
    least: float | None = None
    most: float | None = None
    slices: tuple[str, ...] = ()
    drift_columns: tuple[str, ...] = ()
    cache_ttl_seconds: int = 300
    service_level: ServiceLevel = field(default_factory=ServiceLevel)

    def __post_init__(self) -> None:
        if (self.task is Task.CLASSIFICATION) != bool(self.classes):
            raise ValueError(f"{self.name}: a classifier, and only a classifier, names its classes")
        if not self.examples:
            raise ValueError(f"{self.name}: at least one example request is needed")
        if self.path is not None and not re.fullmatch(r"/[a-z0-9_-]+", self.path):
            raise ValueError(f"{self.name}: a path of its own is one segment, like /delivery_time")
        if self.view is not None:
            check_view(self.view, self.request)
        if unknown := set(self.echo) - set(self.request.model_fields):
            raise ValueError(f"{self.name}: the answer cannot repeat {sorted(unknown)}")

    @cached_property
    def row(self) -> type[RequestModel]:
        """What features are built from: the request, and the features of its entity where the model has a view."""
        if self.view is None:
            return self.request
        fields: dict[str, Any] = {
            name: (info.annotation, info)
            for schema in (self.request, self.view.row)
            for name, info in schema.model_fields.items()
        }
        return create_model(f"{self.request.__name__}Row", __base__=RequestModel, **fields)

    @property
    def package(self) -> str:
        """The package in the catalog, for example `food_delivery`."""
        return self.name.replace("-", "_")


def check_view(view: FeatureView, request: type[RequestModel]) -> None:
    """Raises ValueError where requests do not name the view's entities, or a row could not hold both."""
    if view.key not in request.model_fields:
        raise ValueError(f"view {view.name}: requests have no field {view.key}")
    if column_dtype(request.model_fields[view.key].annotation).kind != "O":
        raise ValueError(f"view {view.name}: {view.key} must be text")
    if shared := set(view.row.model_fields) & set(request.model_fields):
        raise ValueError(f"view {view.name}: requests have the fields {sorted(shared)} too")
    for name, info in view.row.model_fields.items():
        if column_dtype(info.annotation).kind != "f":
            raise ValueError(f"view {view.name}: {name} must be a number")


def load_catalog(package: str = "catalog") -> dict[str, ModelDefinition]:
    """Every declaration under `package`, by model name. Adding a folder is all it takes to add a model.

    A folder with a leading underscore is no model: it holds what the recipes of several share.
    """
    root = importlib.import_module(package)
    definitions = {}
    for entry in sorted(pkgutil.iter_modules(root.__path__), key=lambda module: module.name):
        if entry.ispkg and not entry.name.startswith("_"):
            module = importlib.import_module(f"{package}.{entry.name}.definition")
            definitions[module.DEFINITION.name] = module.DEFINITION
    return definitions
