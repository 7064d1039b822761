"""What an image has to answer: the example of its catalog, computed here from the very servable that it carries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from deploy.errors import ImageFailed
from deploy.image.engine import Engine
from deploy.image.sample_model import MODEL
from modelkit.columns import feature_matrix
from modelkit.definition import load_catalog
from modelkit.rows import RowReader
from modelkit.servable import load_servable

BAKED = "/app/bento/src/baked/models"
REGRESSION = ("prediction", "lower", "upper")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A request to the production route, and the numbers of its answer: null for the bounds of a model without."""

    path: str
    payload: dict[str, Any]
    numbers: dict[str, float | None]
    version: str


def expectation_of(image: str, engine: Engine, folder: Path) -> Expectation:
    """Copies the servable out of the image; the image itself is not started."""
    container = engine.run("create", image).strip().splitlines()[-1]
    try:
        if not engine.succeeds("cp", f"{container}:{BAKED}/{MODEL}", str(folder)):
            raise ImageFailed(
                f"{image} carries no {MODEL}: build it with BAKED=true where that is in production"
            )
    finally:
        engine.run("rm", "--force", container)
    return expected_answer(folder / MODEL)


def expected_answer(servable_folder: Path) -> Expectation:
    definition = load_catalog()[MODEL]
    servable = load_servable(servable_folder, definition)
    payload = dict(definition.examples[0])
    reader = RowReader(definition.request)
    features = definition.build(reader.columns([reader.from_object(payload)]))
    outputs = servable.compiled.run(feature_matrix(features, definition.feature_columns))
    return Expectation(
        path=definition.path or f"/predict/{MODEL}",
        payload=payload,
        numbers=dict(zip_longest(REGRESSION, outputs.tolist()[0])),
        version=servable.digest.removeprefix("sha256:")[:12],
    )
