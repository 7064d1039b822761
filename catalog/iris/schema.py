"""The request of iris: four lengths of one flower, all of them needed."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from modelkit.schema import RequestModel


def _length(description: str) -> Any:
    return Field(description=description, json_schema_extra={"unit": "cm"}, gt=0, le=30)


class IrisRequest(RequestModel):
    """One flower."""

    sepal_length: float = _length("Length of a sepal")
    sepal_width: float = _length("Width of a sepal")
    petal_length: float = _length("Length of a petal")
    petal_width: float = _length("Width of a petal")
