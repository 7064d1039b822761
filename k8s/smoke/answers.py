"""What an answer of the service must look like: its structure, and whether its value can be true at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from k8s.smoke.endpoint import Answer
from modelkit.definition import ModelDefinition, Task


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that every answer of one row has."""

    prediction: float | str
    model: str
    model_version: str
    prediction_id: str
    units: str
    cached: bool
    lower: float | None = None
    upper: float | None = None
    probabilities: dict[str, float] | None = None


def read_prediction(answer: Answer) -> Prediction | str:
    """The prediction, or what is wrong with the body's structure."""
    try:
        return msgspec.json.decode(answer.body, type=Prediction)
    except msgspec.DecodeError as error:
        return f"the body is not a prediction: {error}"


def implausible(definition: ModelDefinition, found: Prediction, headers: Mapping[str, str]) -> str:
    """Why this cannot be an answer of this model; empty when it can."""
    if found.model != definition.name:
        return f"{found.model} answered instead"
    if found.units != definition.units:
        return f"the answer is in {found.units!r}, the declaration says {definition.units!r}"
    if headers.get("x-model-version") != found.model_version:
        header = headers.get("x-model-version")
        return f"the header says version {header}, the body {found.model_version}"
    if not found.prediction_id or headers.get("x-prediction-id", found.prediction_id) != found.prediction_id:
        return "the prediction id is missing, or another one in the header"
    if definition.task is Task.CLASSIFICATION:
        return _implausible_label(definition, found)
    return _implausible_number(definition, found)


def _implausible_label(definition: ModelDefinition, found: Prediction) -> str:
    if found.prediction not in definition.classes:
        return f"{found.prediction!r} is none of {', '.join(definition.classes)}"
    shares = found.probabilities or {}
    if set(shares) != set(definition.classes) or not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-3):
        return "the probabilities are not one per class that add up to 1"
    if found.prediction != max(shares, key=lambda name: shares[name]):
        return f"{found.prediction} is not the most probable class"
    return ""


def _implausible_number(definition: ModelDefinition, found: Prediction) -> str:
    value = found.prediction
    if not isinstance(value, float) or not math.isfinite(value):
        return f"{value!r} is not a number"
    if definition.least is not None and value < definition.least:
        return f"{value} is below {definition.least} {definition.units}"
    lower, upper = found.lower, found.upper
    if lower is not None and upper is not None and not lower <= upper:
        return f"the bounds are {lower} to {upper}"
    return ""


def problem(answer: Answer) -> str:
    """A refusal in words."""
    body: dict[str, Any] = answer.document()
    said = f"{body.get('code', '')} {body.get('detail', '')}".strip()
    return f"{answer.status} {said}".strip()


def unready_reasons(answer: Answer) -> dict[str, str]:
    """What `/readyz` says of each model that does not serve; empty where it says nothing of the kind."""
    reasons = answer.document().get("reasons")
    return {name: str(reason) for name, reason in reasons.items()} if isinstance(reasons, dict) else {}
