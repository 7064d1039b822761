"""A worker in this process, shared by the tests that only ask it, and new MLflow databases at the price of a copy."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auth.passwords import Passwords
from records.engine import open_engine
from records.users import add_user
from tests.front_service import PASSWORD, FrontService

if TYPE_CHECKING:
    from tests.promotion_desk import Desk


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    """Every model of the catalog served, and one user, ada."""
    folder = tmp_path_factory.mktemp("front")
    database = folder / "records.db"
    database.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{database}")
    add_user(engine, username="ada", password_hash=Passwords().hash(PASSWORD), scopes="predict read")
    engine.dispose()
    made = FrontService(folder, database_url=f"sqlite:///{database}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: making one takes longer than most tests that need one."""
    from training.registry import Registry  # imports MLflow, which most of these tests do without

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Registry(f"sqlite:///{path}").versions("none")
    return path


@pytest.fixture
def mlflow_uri(mlflow_template: Path, tmp_path: Path) -> str:
    """A new registry without any model."""
    return f"sqlite:///{shutil.copy(mlflow_template, tmp_path / 'mlflow.db')}"


@pytest.fixture
def desk(mlflow_uri: str, sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    from tests.promotion_desk import Desk  # imports MLflow, too

    ledger = open_engine(sqlite_url)
    yield Desk(mlflow_uri, ledger, tmp_path)
    ledger.dispose()
