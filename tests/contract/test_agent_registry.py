"""Registry: what the agent asks is answered alike by MLflow on SQLite and by the tests' fake."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import CorruptServable, UntrustedServable
from modelkit.servable import SIGNATURE, load_servable, verify_files
from modelkit.signature import LARGEST_SIGNATURE
from serving.agent.metrics import AgentMetrics
from serving.agent.proven_versions import ProvenVersions
from serving.agent.registry import (
    SERVABLE_PATH,
    TAG_APPROVED,
    TAG_DIGEST,
    MlflowRegistry,
    RegisteredVersion,
    Registry,
    RegistryUnavailable,
)
from serving.agent.sync import RegistrySync
from serving.model_store import ModelStore
from tests.fakes.prover import LocalProver
from tests.fakes.registry import MemoryRegistry
from tests.tiny_servables import write_tiny

NAME = IRIS.registry_name
APPROVED, UNAPPROVED, UNKNOWN = ("1", "2", "10"), "3", "NoSuchModel"

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Ten servables and their digests."""
    root = tmp_path_factory.mktemp("sources")
    folders = {str(number): root / str(number) for number in range(1, 11)}
    return {
        number: (folder, write_tiny(IRIS, folder, bias=float(number))) for number, folder in folders.items()
    }


@pytest.fixture(scope="module")
def mlflow_registry(
    sources: dict[str, tuple[Path, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowRegistry]:
    root = tmp_path_factory.mktemp("mlflow")
    with contextlib.chdir(root):  # artifacts of a SQLite registry go below the current folder
        uri = f"sqlite:///{root / 'mlflow.db'}"
        registry = MlflowRegistry(uri)
        _register_all(uri, sources)
        yield registry


def _register_all(uri: str, sources: dict[str, tuple[Path, str]]) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment("iris")
    client.create_registered_model(NAME)
    for number, (folder, digest) in sources.items():
        run = client.create_run(experiment)
        client.log_artifacts(run.info.run_id, str(folder), SERVABLE_PATH)
        tags = {TAG_DIGEST: digest, **({TAG_APPROVED: "true"} if number in APPROVED else {})}
        source = f"{run.info.artifact_uri}/{SERVABLE_PATH}"
        client.create_model_version(NAME, source, run_id=run.info.run_id, tags=tags)
    client.set_registered_model_alias(NAME, "production", "2")


@pytest.fixture(scope="module")
def memory_registry(sources: dict[str, tuple[Path, str]]) -> MemoryRegistry:
    registry = MemoryRegistry()
    for number, (folder, digest) in sources.items():
        registry.register(NAME, number, folder, digest)
    registry.approve(NAME, *APPROVED)
    registry.point(NAME, "production", "2")
    return registry


@pytest.fixture(params=["memory_registry", "mlflow_registry"])
def registry(request: pytest.FixtureRequest) -> Registry:
    made: Registry = request.getfixturevalue(request.param)
    return made


def test_an_alias_names_a_version_with_its_digest(
    registry: Registry, sources: dict[str, tuple[Path, str]]
) -> None:
    version = registry.behind_alias(NAME, "production")
    assert version is not None
    assert (version.registry_name, version.version, version.digest) == (NAME, "2", sources["2"][1])


@pytest.mark.parametrize(("name", "alias"), [(NAME, "staging"), (UNKNOWN, "production")])
def test_an_alias_or_a_model_that_is_not_there_is_none(registry: Registry, name: str, alias: str) -> None:
    assert registry.behind_alias(name, alias) is None


def test_a_version_is_found_by_its_number_and_says_whether_it_is_approved(
    registry: Registry, sources: dict[str, tuple[Path, str]]
) -> None:
    found = [registry.by_number(NAME, number) for number in ("10", "3")]
    assert [item and (item.version, item.digest, item.approved) for item in found] == [
        ("10", sources["10"][1], True),
        ("3", sources["3"][1], False),
    ]


@pytest.mark.parametrize(("name", "number"), [(NAME, "99"), (UNKNOWN, "1")])
def test_a_number_or_a_model_that_is_not_there_is_none(registry: Registry, name: str, number: str) -> None:
    assert registry.by_number(name, number) is None


def test_approved_versions_come_newest_first_by_number(registry: Registry) -> None:
    assert [version.version for version in registry.approved(NAME)] == ["10", "2", "1"]
    assert registry.approved(UNKNOWN) == []


def test_a_download_is_the_servable_that_was_registered(registry: Registry, tmp_path: Path) -> None:
    version = registry.behind_alias(NAME, "production")
    assert version is not None
    registry.download(version, tmp_path / "2")
    assert load_servable(tmp_path / "2", IRIS, digest=version.digest).contract.model == "iris"
    assert [path.name for path in tmp_path.iterdir()] == ["2"]


def test_following_ends_in_a_pointer_and_a_proven_folder(registry: Registry, tmp_path: Path) -> None:
    store = ModelStore(tmp_path, "production")
    models = {IRIS.name: IRIS}
    RegistrySync(ProvenVersions(registry, store, LocalProver(models)), models, AgentMetrics()).step()
    pointer = store.read_pointer(IRIS.name)
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("2", "2")
    assert verify_files(store.version_folder(IRIS.name, "2")) == pointer.digest


def test_another_download_than_the_registered_one_is_noticed(registry: Registry, tmp_path: Path) -> None:
    one, other = registry.approved(NAME)[:2]
    registry.download(one, tmp_path / "one")
    with pytest.raises(CorruptServable):
        verify_files(tmp_path / "one", digest=other.digest)


@pytest.mark.parametrize("path", [SIGNATURE, f"{SIGNATURE}/part"], ids=["a file", "a folder"])
def test_what_is_too_large_to_be_a_signature_is_refused_unfetched(
    mlflow_registry: MlflowRegistry, sources: dict[str, tuple[Path, str]], tmp_path: Path, path: str
) -> None:
    client, (folder, digest) = mlflow_registry._client, sources["1"]
    run = client.create_run(client.create_experiment(path)).info.run_id
    client.log_artifacts(run, str(folder), SERVABLE_PATH)
    client.log_text(run, "s" * (LARGEST_SIGNATURE + 1), path)
    version = RegisteredVersion(registry_name=NAME, version="1", run_id=run, digest=digest)
    with pytest.raises(UntrustedServable, match="too large"):
        mlflow_registry.download(version, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("registry_down", ["memory", "mlflow"])
def test_a_registry_that_is_away_is_unavailable(
    registry_down: str, memory_registry: MemoryRegistry, mlflow_registry: MlflowRegistry, tmp_path: Path
) -> None:
    version = memory_registry.behind_alias(NAME, "production")
    assert version is not None
    away: Registry
    if registry_down == "memory":
        away = MemoryRegistry()
        away.down = True
    else:
        away = MlflowRegistry("http://127.0.0.1:9")
    for question in (
        lambda: away.behind_alias(NAME, "production"),
        lambda: away.by_number(NAME, "1"),
        lambda: away.approved(NAME),
        lambda: away.download(version, tmp_path / "2"),
    ):
        with pytest.raises(RegistryUnavailable):
            question()
    assert list(tmp_path.iterdir()) == []
