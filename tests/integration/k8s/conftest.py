"""An API server for each test with a kubeconfig that leads to it, an overlay to look at, and a service to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from k8s.dev_secret import SERVICE, SERVICE_KEYS
from tests.fakes.api_server import surroundings
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.http_service import HttpService
from tests.front_service import CATALOG, KEY, FrontService
from tests.integration.k8s.rendered import Json, overlay
from tests.integration.k8s.verb import Result, run
from tests.served_front import served
from tests.tiny_servables import write_tiny

Ask = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApiServer]:
    with FakeApiServer() as running:
        yield running


@pytest.fixture
def ask(api: FakeApiServer, tmp_path: Path) -> Ask:
    """A verb, asked of that API server, with its answer as JSON."""
    config = api.kubeconfig(tmp_path)

    def asked(verb: str, *options: object) -> Result:
        return run(verb, "--kubeconfig", config, "--output", "json", *options)

    return asked


@pytest.fixture
def objects() -> dict[str, Json]:
    return overlay()


@pytest.fixture
def look(api: FakeApiServer, ask: Ask, tmp_path: Path, objects: dict[str, Json]) -> Callable[..., Result]:
    """Preflight of those objects, on a cluster that has all they need."""
    api.add(
        surroundings.namespace(),
        surroundings.secret(SERVICE, *SERVICE_KEYS),
        surroundings.secret("registry", ".dockerconfigjson", kind="kubernetes.io/dockerconfigjson"),
        surroundings.storage_class(default=True),
        surroundings.node(),
    )

    def looked(*options: object) -> Result:
        path = tmp_path / "rendered.yaml"
        path.write_text(yaml.safe_dump_all(objects.values()))
        return ask("preflight", "--manifest", path, *options)

    return looked


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    folder = tmp_path_factory.mktemp("front")
    for name, definition in CATALOG.items():
        # A tiny model's number is anything: lifted to where it could be true.
        write_tiny(definition, folder / "plausible" / name, bias=1e6 if definition.least is not None else 0.0)
    service = FrontService(folder, model_path=folder / "plausible")
    yield service
    service.close()


@pytest.fixture
def service(front: FrontService) -> Iterator[HttpService]:
    with served(front) as running:
        yield running


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "jwt-secret-key"
    path.write_text(KEY)
    return path
