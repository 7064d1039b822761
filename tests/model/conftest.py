"""Every model of the catalog, trained once for all tests of this folder."""

from __future__ import annotations

import pytest

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.servable import load_servable
from tests.stage_runs import Trained, run_stages


@pytest.fixture(scope="session", params=load_catalog().values(), ids=lambda definition: definition.name)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    definition: ModelDefinition = request.param
    layout = run_stages(definition, tmp_path_factory.mktemp(definition.package))
    return Trained(definition, layout, load_servable(layout.servable, definition))
