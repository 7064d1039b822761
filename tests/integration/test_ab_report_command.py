"""`python -m monitoring ab-report` as it is typed: a table, JSON, and one line for what makes no sense."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from modelkit.definition import load_catalog
from monitoring.__main__ import main
from tests.logged_comparison import Logged, Told

FOOD = load_catalog()["food-delivery"]


def test_the_command_prints_a_table_and_json(database_url: str, engine: Engine, capsys) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0))
    asked = ["ab-report", FOOD.name, "--weight", "50", "--database-url", database_url]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert "* the split is as meant" in text
    assert "mean absolute error, minutes" in text
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["production"]["version"], found["challenger"]["version"]) == ("1", "2")
    assert found["split"]["is_broken"] is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["toaster"], "ab-report: the catalog declares no toaster"),
        (["iris", "--weight", "100"], "ab-report: --weight is a share between 0 and 100 per cent"),
        (["iris", "--database-url", "sqlite:////nowhere/at/all.db"], "ab-report: there is no database"),
    ],
)
def test_what_makes_no_sense_ends_with_2(sqlite_url: str, capsys, arguments: list[str], said: str) -> None:
    if "--database-url" not in arguments:
        arguments = [*arguments, "--database-url", sqlite_url]
    assert main(["ab-report", *arguments]) == 2
    assert capsys.readouterr().err.startswith(said)


def test_a_database_without_our_tables_is_said(tmp_path, capsys) -> None:
    (tmp_path / "empty.db").touch()
    assert main(["ab-report", "iris", "--database-url", f"sqlite:///{tmp_path / 'empty.db'}"]) == 2
    assert "`python -m records upgrade` makes them" in capsys.readouterr().err


def test_a_span_is_a_number_and_a_unit(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ab-report", "iris", "--since", "yesterday"])
    assert stopped.value.code == 2
    assert "30m, 24h, 7d or 2w" in capsys.readouterr().err
