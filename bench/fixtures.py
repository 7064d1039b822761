"""The models of the benchmark: for each a servable that Slipway serves, and the same estimator for the peers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.bodies import Row, vary
from bench.errors import BenchError
from bench.settings import Settings
from modelkit.definition import ModelDefinition, load_catalog
from modelkit.servable import MANIFEST, load_servable

FIXTURE_CATALOG, PRODUCT_CATALOG = "bench.catalog", "catalog"
NATIVE, COLUMNS = "model.cbm", "columns.json"


@dataclass(frozen=True, kw_only=True)
class Fixture:
    """`servables` is what MODEL_PATH wants: one folder per model. `row` is what Slipway gets, `peer_row` what peers get."""

    model: str
    catalog: str
    servables: Path
    peer_folder: Path
    row: Row
    peer_row: Row


def prepare_fixture(settings: Settings, model: str) -> Fixture:
    writers: Mapping[str, Callable[[Settings], Fixture]] = {
        "model-a": _model_a,
        "food-delivery": _food_delivery,
    }
    if model not in writers:
        raise BenchError(f"no fixture for {model!r}: choose from {', '.join(writers)}")
    return writers[model](settings)


def _model_a(settings: Settings) -> Fixture:
    from bench.model_a import write_model_a

    definition = load_catalog(FIXTURE_CATALOG)["model-a"]
    folder = settings.work / "models" / definition.name
    shutil.rmtree(folder, ignore_errors=True)
    write_model_a(folder / "servables" / definition.name, folder / "peers")
    row = vary(definition.examples[0])
    return _fixture(definition, catalog=FIXTURE_CATALOG, folder=folder, peer_row=row)


def _food_delivery(settings: Settings) -> Fixture:
    """The trained product: its servable copied, its fitted estimator given to the peers with its feature columns."""
    from bench.trained import write_peer_estimator

    definition = load_catalog(PRODUCT_CATALOG)["food-delivery"]
    trained = settings.root / "models" / definition.name
    if not (trained / "servable" / MANIFEST).exists():
        raise BenchError("food-delivery is not trained: run `make train`")
    folder = settings.work / "models" / definition.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(trained / "servable", folder / "servables" / definition.name)
    values = write_peer_estimator(definition, trained, folder / "peers")
    return _fixture(definition, catalog=PRODUCT_CATALOG, folder=folder, peer_row=vary(values))


def _fixture(definition: ModelDefinition, *, catalog: str, folder: Path, peer_row: Row) -> Fixture:
    load_servable(folder / "servables" / definition.name, definition)
    return Fixture(
        model=definition.name,
        catalog=catalog,
        servables=folder / "servables",
        peer_folder=folder / "peers",
        row=vary(definition.examples[0]),
        peer_row=peer_row,
    )


def column_kinds(peer_folder: Path) -> dict[str, str]:
    kinds: dict[str, str] = json.loads((peer_folder / COLUMNS).read_text())
    return kinds
