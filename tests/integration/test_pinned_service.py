"""A service in pinned mode: what Git wants, what is loaded and why they differ is shown wherever people look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from serving.model_store import ModelStore, Pointer
from tests.front_service import FLOWER, FrontService
from tests.prediction_records import figure
from tests.tiny_servables import write_tiny

REFUSAL = "version 3 refused: it is not approved"


def put(store: ModelStore, version: str, **pointer: str) -> None:
    """As the agent does it: the version's files, then the pointer."""
    digest = write_tiny(IRIS, store.version_folder("iris", version), bias=float(version))
    wanted = {"desired": version, **pointer}
    store.write_pointer("iris", Pointer(version=version, digest=digest, **wanted))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FrontService]:
    """Version 3 is pinned; the agent found that only version 2 may serve. The alias's pointer names version 9."""
    put(ModelStore(tmp_path / "store", "production"), "9")
    put(ModelStore(tmp_path / "store", "pinned"), "2", desired="3", reason=REFUSAL)
    pins = tmp_path / "models.env"
    pins.write_text("basket=1\niris=3  # the new one\n")
    made = FrontService(tmp_path, model_source="pinned", model_versions_file=pins, models="iris")
    yield made
    made.close()


def described(service: FrontService) -> dict[str, Any]:
    models: list[dict[str, Any]] = service.ask("GET", "/models", headers=service.token()).json()["models"]
    (iris,) = models
    return iris


def test_desired_and_loaded_are_shown_with_the_reason_for_the_difference(service: FrontService) -> None:
    iris = described(service)
    assert (iris["desired"], iris["loaded"], iris["reason"]) == ("3", "2", REFUSAL)
    assert figure(service.registry, "slipway_model_version_skew", model="iris") == 1
    assert service.predict(FLOWER).json()["model_version"] == "2"
    ready = service.ask("GET", "/readyz?verbose")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": {}})


def test_when_the_pinned_version_comes_the_difference_is_gone(service: FrontService) -> None:
    put(ModelStore(service.settings.model_store_dir, "pinned"), "3")
    service.runner.run(service.worker.runtime._follower.step())
    iris = described(service)
    assert (iris["desired"], iris["loaded"], iris["previous"], iris["reason"]) == ("3", "3", "2", "")
    assert figure(service.registry, "slipway_model_version_skew", model="iris") == 0
