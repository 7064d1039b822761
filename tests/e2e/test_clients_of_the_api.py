"""Clients that are made from what the service says about itself: one from the OpenAPI document, and BentoML's own."""

from __future__ import annotations

import asyncio
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bentoml
import httpx
import orjson
import pytest
from bentoml.exceptions import BentoMLException

from auth.passwords import Passwords
from records.engine import open_engine
from records.users import add_user
from serving.typed_answers import api_name
from tests.architecture.source_tree import ROOT
from tests.client_environments import SUITES, client_python, run_suite
from tests.e2e.running_service import RunningService, free_ports
from tests.e2e.waiting import until
from tests.front_service import CATALOG, PASSWORD
from tests.problem_schema import PROBLEM, faults
from tests.tiny_features import example_features, write_snapshot
from tests.tiny_servables import write_tiny

OF_BENTOML = pytest.mark.filterwarnings("ignore")  # its client's imports warn
MODELS = sorted(CATALOG)
FLOWER = dict(CATALOG["iris"].examples[0])
CONCURRENT = 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[RunningService]:
    """Every model, and one user, ada."""
    folder = tmp_path_factory.mktemp("clients")
    for name, definition in CATALOG.items():
        write_tiny(definition, folder / "models" / name)
        if definition.view is not None:
            write_snapshot(definition.view, folder / "store", example_features(definition))
    (folder / "slipway.db").write_bytes(sqlite_template.read_bytes())
    database_url = f"sqlite:///{folder / 'slipway.db'}"
    engine = open_engine(database_url)
    add_user(engine, username="ada", password_hash=Passwords().hash(PASSWORD), scopes="predict read")
    engine.dispose()
    addresses = {"tracking_uri": "http://127.0.0.1:9", "database_url": database_url}
    source = {"MODEL_SOURCE": "path", "MODEL_PATH": str(folder / "models")}
    with RunningService(folder, **addresses, **source) as service:
        yield service


@contextmanager
def bento_client(url: str, **options: Any) -> Iterator[Any]:
    """Its methods are those of the service it finds."""
    with bentoml.SyncHTTPClient(url, **options) as client:
        yield client
        client._temp_dir.cleanup()  # left to the garbage collector otherwise, with a warning


def native(service: RunningService, model: str, row: dict[str, Any]) -> dict[str, Any]:
    with service.client() as client:
        answer: dict[str, Any] = client.post(f"/predict/{model}", json=row).raise_for_status().json()
    return answer


def own(answer: dict[str, Any]) -> dict[str, Any]:
    """What differs from answer to answer of the same row."""
    return {name: answer[name] for name in ("prediction_id", "cached", "timestamp") if name in answer}


def test_a_client_is_generated_from_the_document_and_works(service: RunningService) -> None:
    told = {"SLIPWAY_URL": service.url, "SLIPWAY_PASSWORD": PASSWORD}
    flower = orjson.dumps(FLOWER).decode()
    assert "all passed" in run_suite("openapi-python-client", **told, SLIPWAY_FLOWER=flower)


@OF_BENTOML
@pytest.mark.parametrize("model", MODELS)
def test_bentomls_client_gets_what_the_native_route_answers(service: RunningService, model: str) -> None:
    row = dict(CATALOG[model].examples[0])
    with bento_client(service.url, token=service.token()) as client:
        assert client.is_ready()
        answer = getattr(client, api_name(CATALOG[model]))(dict(row))
    assert answer == native(service, model, row) | own(answer)


@OF_BENTOML
def test_bentomls_asynchronous_client_asks_all_models_at_once(service: RunningService) -> None:
    async def scenario() -> dict[str, Any]:
        async with bentoml.AsyncHTTPClient(service.url, token=service.token()) as client:
            assert await client.is_ready()
            asked = [
                getattr(client, api_name(definition))(dict(definition.examples[0]))
                for definition in CATALOG.values()
            ]
            answers = await asyncio.gather(*asked)
            client._temp_dir.cleanup()
        return dict(zip(CATALOG, answers, strict=True))

    for model, answer in asyncio.run(scenario()).items():
        assert answer == native(service, model, dict(CATALOG[model].examples[0])) | own(answer)


@OF_BENTOML
def test_many_use_one_client_at_once(service: RunningService) -> None:
    rows = [{**FLOWER, "petal_width": 0.1 + place / 100} for place in range(CONCURRENT)]
    with bento_client(service.url, token=service.token()) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: client.predict_iris(dict(row)), rows))
    assert len({answer["prediction_id"] for answer in answers}) == CONCURRENT
    for row, answer in zip(rows, answers, strict=True):
        assert answer["probabilities"] == native(service, "iris", row)["probabilities"]


@OF_BENTOML
def test_bentomls_client_sees_why_it_is_refused(service: RunningService) -> None:
    with bento_client(service.url, token=service.token("read")) as client:
        with pytest.raises(BentoMLException) as refused:
            client.predict_iris(dict(FLOWER))
        assert (refused.value.error_code, "insufficient-scope" in str(refused.value)) == (403, True)
        client.client.headers["authorization"] = f"Bearer {service.token()}"
        with pytest.raises(BentoMLException) as refused:
            client.predict_iris({**FLOWER, "petal_width": -1.0})
        assert (refused.value.error_code, "/petal_width" in str(refused.value)) == (400, True)
        del client.client.headers["authorization"]
        with pytest.raises(BentoMLException) as refused:
            client.predict_iris(dict(FLOWER))
        assert refused.value.error_code == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"content": b"{"}, 400),
        ({"content": b"{}"}, 400),
        ({"json": {"instances": [FLOWER]}}, 400),
        ({"json": FLOWER, "headers": {"accept": "text/html"}}, 406),
        ({"content": b" " * 1_100_000}, 413),
        ({"json": {"user_id": "nobody at all"}, "url": "/predict_basket"}, 404),
    ],
    ids=["no JSON", "no row", "many rows", "wants a page", "too large", "an unknown entity"],
)
def test_a_typed_api_refuses_as_the_native_route_does(
    service: RunningService, changes: dict[str, Any], status: int
) -> None:
    with service.client() as client:
        answer = client.post(**{"url": "/predict_iris", **changes})
    assert (answer.status_code, faults(answer.json(), PROBLEM)) == (status, [])
    assert answer.headers["content-type"] == "application/problem+json"


def test_whole_numbers_of_a_typed_api_may_be_written_as_fractions(service: RunningService) -> None:
    with service.client() as client:
        answer = client.post("/predict_food_delivery", json={"vehicle_condition": 2.0})
    assert answer.status_code == 200, answer.text


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


def test_what_dependencies_in_one_process_exchange_is_refused_and_never_unpickled(
    service: RunningService, tmp_path: Path
) -> None:
    canary = tmp_path / "unpickled"
    body = pickle.dumps(Canary(canary))
    with service.client() as client:
        for media_type in ("application/vnd.bentoml+pickle", "application/octet-stream"):
            refused = client.post("/predict_iris", content=body, headers={"content-type": media_type})
            assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-media-type")
        headers = {"content-type": "application/json", "payload-container": "NdarrayContainer"}
        assert client.post("/predict_iris", content=body, headers=headers).status_code == 400
    assert not canary.exists()
    pickle.loads(body)
    assert canary.exists()


@contextmanager
def composed(service: RunningService, folder: Path, token: str) -> Iterator[str]:
    """The address of the shop, a BentoML service that depends on ours."""
    (port,) = free_ports(1)
    environment = {
        **{"PATH": os.environ["PATH"], "HOME": str(folder), "BENTOML_HOME": str(folder / "bentoml")},
        **{"BENTOML_DO_NOT_TRACK": "True", "SLIPWAY_URL": service.url, "BENTO_CLOUD_API_KEY": token},
    }
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        "shop:Shop",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (folder / "shop.log").open("wb") as log:
        shop = subprocess.Popen(
            command, cwd=SUITES / "bentoml", env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: answers(url), seconds=60, what=f"the shop is ready, see {log.name}")
            yield url
        finally:
            shop.terminate()
            shop.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_another_bentoml_service_depends_on_this_one(service: RunningService, tmp_path: Path) -> None:
    with composed(service, tmp_path, service.token()) as url:
        answer = httpx.post(f"{url}/name_of", json={"flower": FLOWER}, timeout=30)
    assert (answer.status_code, answer.text) == (200, native(service, "iris", FLOWER)["prediction"])


PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def printed(title: str, language: str) -> list[str]:
    text = re.split(rf"\n## {title}\n", PAGE, maxsplit=1)[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_pages_generated_client_works_as_it_is_printed(service: RunningService, tmp_path: Path) -> None:
    python = client_python("openapi-python-client")
    (generate,) = printed("A client made from the document", "sh")
    (script,) = printed("A client made from the document", "python")
    path = f"{python.parent}:{os.environ['PATH']}"
    told = {"SLIPWAY": service.url, "PASSWORD": PASSWORD, "PATH": path}
    run(["bash", "-euc", generate], tmp_path, **told)
    said = run([python, "-c", script], tmp_path, **told).split()
    assert said == [native(service, "iris", FLOWER)["prediction"], "invalid-request", "/petal_width"]


def test_the_pages_bentoml_client_works_as_it_is_printed(service: RunningService, tmp_path: Path) -> None:
    script, shop = printed("BentoML's clients", "python")
    told = {"SLIPWAY": service.url, "TOKEN": service.token(), "BENTOML_DO_NOT_TRACK": "True"}
    said = run([sys.executable, "-c", script], tmp_path, **told).split()
    assert said == [native(service, "iris", FLOWER)["prediction"], "400"]
    proven = (SUITES / "bentoml" / "shop.py").read_text(encoding="utf-8")
    assert {line for line in shop.splitlines() if "depends(" not in line} - {
        '@bentoml.service(name="shop")'
    } <= set(proven.splitlines())
