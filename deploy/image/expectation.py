"""What an image has to answer: the example of its catalog, computed here from the very servable that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

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


def carried_model(image: str, engine: Engine, folder: Path) -> Path | None:
    """The servable that the image carries, copied into the folder; None where it carries none. Nothing is started."""
    container = engine.run("create", image).strip().splitlines()[-1]
    try:
        carries = engine.succeeds("cp", f"{container}:{BAKED}/{MODEL}", str(folder))
    finally:
        engine.run("rm", "--force", container)
    return folder / MODEL if carries else None


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
