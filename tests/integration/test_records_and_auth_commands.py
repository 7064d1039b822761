"""The two command lines, as an operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from auth.database import Database
from auth.directory import SqlUserDirectory
from auth.passwords import Passwords
from records.engine import open_engine

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
NO_TABLES = "`python -m records upgrade` makes its tables"


def run(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """With nothing of a database in the environment but what is given."""
    command = [sys.executable, "-m", *arguments]
    own = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        command, cwd=ROOT, env=own, input=typed, capture_output=True, text=True, check=False
    )


def test_a_schema_is_brought_up_and_asked_for(empty_database_url: str) -> None:
    where = ("--database-url", empty_database_url)
    there = open_engine(empty_database_url)
    there.connect().close()
    there.dispose()
    assert run("records", "current", *where).returncode == 1
    asked = run("auth", "users", *where)
    assert (asked.returncode, asked.stderr.splitlines()[-1]) == (2, NO_TABLES)


def test_a_mistyped_path_makes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "mistyped" / "records.db"
    for command in (("auth", "users"), ("records", "current")):
        done = run(*command, "--database-url", f"sqlite:///{path}")
        assert done.returncode in (1, 2)
        assert done.stderr == f"there is no database {path}: `python -m records upgrade` makes one\n"
    assert not path.parent.exists()


def test_a_rolled_back_image_is_content_with_a_newer_schema(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    done = run("records", "upgrade", "--database-url", database_url)
    assert (done.returncode, done.stdout) == (0, "the schema is newer than this code, and is left alone\n")


def test_a_database_that_is_away_ends_with_two_and_no_secret() -> None:
    done = run("records", "upgrade", "--database-url", "postgresql://ada:hidden@127.0.0.1:1/none")
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert "hidden" not in done.stdout + done.stderr


@pytest.mark.parametrize("way", ["option", "variable", "file option", "file variable"])
def test_a_database_is_named_by_an_option_or_the_environment_or_a_mounted_file(
    tmp_path: Path, way: str
) -> None:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    mounted = tmp_path / "database-url"
    mounted.write_text(f"{url}\n")
    options = {"option": ("--database-url", url), "file option": ("--database-url-file", str(mounted))}
    variables = {"variable": {"DATABASE_URL": url}, "file variable": {"DATABASE_URL_FILE": str(mounted)}}
    done = run("records", "upgrade", *options.get(way, ()), **variables.get(way, {}))
    assert (done.returncode, done.stdout) == (0, "the schema is current\n"), done.stderr
    assert (tmp_path / "records.db").exists()
    refused = run("auth", "disable-user", "nobody", *options.get(way, ()), **variables.get(way, {}))
    assert refused.stderr == "there is no user nobody\n"


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "DATABASE_URL_FILE"),
        ({"DATABASE_URL": "", "DATABASE_URL_FILE": "/dev/null"}, "DATABASE_URL_FILE"),
        ({"DATABASE_URL_FILE": "/nowhere/hunter2"}, "DATABASE_URL_FILE cannot be read"),
        ({"DATABASE_URL": "sqlite:///hunter2", "DATABASE_URL_FILE": "/dev/null"}, "not both"),
        ({"DATABASE_URL": "hunter2"}, "cannot be used"),
    ],
)
def test_no_database_or_two_of_them_are_refused_by_name(environment: dict[str, str], complaint: str) -> None:
    done = run("records", "upgrade", **environment)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_user_is_made_disabled_and_enabled(database_url: str) -> None:
    where = ("--database-url", database_url)
    made = run(
        "auth",
        "create-user",
        "ada",
        "--scope",
        "read",
        "--scope",
        "predict:iris",
        *where,
        typed=f"{PASSWORD}\n",
    )
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    database = Database(database_url)
    directory = SqlUserDirectory(database)
    ada = directory.find("ada")
    assert ada is not None
    assert ada.scopes == "predict:iris read"
    assert Passwords().verify(ada.password_hash, PASSWORD)
    assert run("auth", "disable-user", "ada", *where).returncode == 0
    ada = directory.find("ada")
    assert ada is not None
    assert ada.disabled
    assert run("auth", "enable-user", "ada", *where).returncode == 0
    database.close()
