"""What was rolled back stays back until somebody asks for it by name; nobody wins who looked at an older state."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelkit.definition import load_catalog
from records.engine import open_engine
from records.ledger import history
from tests.promotion_desk import Desk
from training.commands.history import lines_of
from training.commands.status import line_of
from training.errors import MovedMeanwhile, NotRegistered, PromotionRefused
from training.promotion.alias_ledger import AliasLedger, Move
from training.promotion.promote import Promoter
from training.registry import Registry
from training.version import CANDIDATE, CHALLENGER, PRODUCTION, STAGING, Version

FOOD = load_catalog()["food-delivery"]
MOVE = Move(alias=PRODUCTION, actor="ada", reason="because")
BACK = Move(alias=PRODUCTION, actor="bob", reason="it answers\nnonsense")
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def version(desk: Desk, number: str) -> Version:
    return desk.registry.by_number(FOOD.registry_name, number)


@pytest.fixture
def rolled_back(desk: Desk) -> Desk:
    """Version 2 was every alias at once; production went back to version 1."""
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    promoter.promote(MOVE, versions.make().number)
    versions.candidate()
    for alias in (STAGING, CHALLENGER, PRODUCTION):
        promoter.promote(dataclasses.replace(MOVE, alias=alias))
    promoter.rollback(BACK)
    return desk


def test_a_rollback_takes_every_alias_and_says_so_in_the_ledger(rolled_back: Desk) -> None:
    holders = [rolled_back.holder(FOOD, alias) for alias in (PRODUCTION, STAGING, CANDIDATE, CHALLENGER)]
    assert holders == ["1", "1", None, None]
    assert version(rolled_back, "2").aliases == ()
    found = {
        (entry.action, entry.alias): (entry.from_version, entry.to_version, entry.actor)
        for entry in history(rolled_back.ledger, FOOD.name)
        if entry.actor == "bob"
    }
    assert found == {
        ("rollback", PRODUCTION): ("2", "1", "bob"),
        ("rollback", STAGING): ("2", "1", "bob"),
        ("withdraw", CANDIDATE): ("2", None, "bob"),
        ("withdraw", CHALLENGER): ("2", None, "bob"),
    }


def test_aliases_of_other_versions_stay_where_they_are(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    for _ in range(2):
        promoter.promote(MOVE, versions.make().number)
    newer = versions.candidate()
    promoter.promote(dataclasses.replace(MOVE, alias=STAGING))
    promoter.rollback(BACK)
    assert desk.holder(FOOD, CANDIDATE) == desk.holder(FOOD, STAGING) == newer.number


def test_a_withdrawn_version_is_refused_for_every_alias_with_the_way_out(rolled_back: Desk) -> None:
    promoter = rolled_back.promoter(FOOD)
    for alias in (PRODUCTION, STAGING, CHALLENGER):
        move = dataclasses.replace(MOVE, alias=alias)
        for asked in (promoter.promote, promoter.rehearse):
            with pytest.raises(PromotionRefused, match="by bob: it answers nonsense") as refused:
                asked(move, "2")
            assert str(refused.value).endswith("promote food-delivery --version 2 --again")
    assert rolled_back.holder(FOOD) == "1"


def test_without_a_candidate_the_newest_version_that_was_withdrawn_is_named(rolled_back: Desk) -> None:
    with pytest.raises(NotRegistered, match="no candidate: version 2 was withdrawn on "):
        rolled_back.promoter(FOOD).promote(MOVE)


def test_asked_for_by_name_it_serves_again_and_nothing_is_held_against_it(rolled_back: Desk) -> None:
    promoter = rolled_back.promoter(FOOD)
    moved = promoter.promote(MOVE, "2", again=True)
    assert "asked for again: it was withdrawn on " in moved.sentence(PRODUCTION)
    again = version(rolled_back, "2")
    assert (rolled_back.holder(FOOD), again.approved, again.withdrawn) == ("2", True, None)
    newest, *_ = history(rolled_back.ledger, FOOD.name)
    assert newest.report is not None
    assert "it was withdrawn on " in newest.report["notes"][-1]
    assert promoter.rollback(BACK).after.number == "1"


def test_in_staging_it_is_still_withdrawn(rolled_back: Desk) -> None:
    promoter = rolled_back.promoter(FOOD)
    promoter.promote(dataclasses.replace(MOVE, alias=STAGING), "2", again=True)
    assert rolled_back.holder(FOOD, STAGING) == "2"
    with pytest.raises(PromotionRefused, match="was withdrawn"):
        promoter.promote(MOVE, "2")


def test_asking_for_it_by_name_passes_no_gate_by(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    for _ in range(2):
        promoter.promote(MOVE, versions.make().number)
    promoter.rollback(BACK)
    strict = dataclasses.replace(FOOD, gates=(dataclasses.replace(FOOD.gates[0], metric="no.such"),))
    with pytest.raises(PromotionRefused, match="not measured"):
        desk.promoter(strict).promote(MOVE, "2", again=True)
    assert version(desk, "2").withdrawn


def test_history_and_status_show_it(rolled_back: Desk) -> None:
    entries = history(rolled_back.ledger, FOOD.name)
    lines = [line for entry in entries for line in lines_of(entry, verbose=False)]
    assert any("withdraw  candidate      2 -> -     bob" in line for line in lines)
    assert line_of(version(rolled_back, "2")).split()[:2] == ["2", "withdrawn"]
    assert "by bob: it answers nonsense" in line_of(version(rolled_back, "2"))
    assert line_of(version(rolled_back, "1")).split()[:2] == ["1", "approved"]


def test_a_rollback_that_cannot_be_written_down_withdraws_nothing(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    for _ in range(2):
        promoter.promote(MOVE, versions.make().number)
    without_tables = open_engine(f"sqlite:///{desk.folder / 'empty.db'}")
    aliases = AliasLedger(FOOD, desk.registry, without_tables)
    with pytest.raises(Exception, match="no such table"):
        aliases.roll_back(version(desk, "2"), version(desk, "1"), BACK)
    without_tables.dispose()
    kept = version(desk, "2")
    assert (desk.holder(FOOD), kept.approved, kept.withdrawn) == ("2", True, None)


def test_a_rollback_that_was_cut_short_is_gone_on_with(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    for _ in range(2):
        promoter.promote(MOVE, versions.make().number)

    class CutShort(Registry):
        """The terminal is closed before the alias moves."""

        def move_alias(self, version: Version, alias: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Promoter(FOOD, CutShort(desk.uri), desk.ledger).rollback(BACK)
    assert (desk.holder(FOOD), version(desk, "2").approved) == ("2", False)
    promoter.rollback(BACK)
    assert desk.holder(FOOD) == "1"
    assert "by bob" in (version(desk, "2").withdrawn or "")


def test_a_version_that_was_withdrawn_while_it_was_judged_is_not_promoted(desk: Desk) -> None:
    """Production is where it was when this one looked, so that only the mark tells."""
    versions, quick = desk.versions(FOOD), desk.promoter(FOOD)
    quick.promote(MOVE, versions.make().number)
    slow = versions.make()

    class Overtaken(Registry):
        """Somebody else promotes the same version, and takes it back, meanwhile."""

        def keep_report(self, version: Version, name: str, report: dict[str, Any]) -> None:
            quick.promote(MOVE, slow.number)
            quick.rollback(BACK)

    with pytest.raises(MovedMeanwhile, match="version 2 was withdrawn meanwhile"):
        Promoter(FOOD, Overtaken(desk.uri), desk.ledger).promote(MOVE, slow.number)
    found = version(desk, "2")
    assert (desk.holder(FOOD), found.approved, bool(found.withdrawn)) == ("1", False, True)


def test_of_two_who_promote_the_same_version_the_loser_leaves_it_approved(desk: Desk) -> None:
    same = desk.versions(FOOD).make()

    class Overtaken(Registry):
        """Somebody else promotes the same version meanwhile."""

        def keep_report(self, version: Version, name: str, report: dict[str, Any]) -> None:
            desk.promoter(FOOD).promote(MOVE, same.number)

    with pytest.raises(MovedMeanwhile, match="another move came first: production is version 1 now"):
        Promoter(FOOD, Overtaken(desk.uri), desk.ledger).promote(MOVE, same.number)
    assert version(desk, same.number).approved


@pytest.mark.parametrize(("expected", "moved"), [("1", True), ("2", False), ("none", False)])
def test_a_promotion_is_refused_where_production_is_not_what_was_expected(
    desk: Desk, expected: str, moved: bool
) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    promoter.promote(dataclasses.replace(MOVE, expected="none"), versions.make().number)
    other, move = versions.make().number, dataclasses.replace(MOVE, expected=expected)
    if moved:
        assert promoter.promote(move, other).after.number == desk.holder(FOOD) == other
        return
    for asked in (promoter.promote, promoter.rehearse):
        with pytest.raises(MovedMeanwhile, match="and is version 1; nothing was moved") as refused:
            asked(move, other)
        assert refused.value.exit_code == 4
    assert desk.holder(FOOD) == "1"


def test_a_rollback_told_twice_goes_back_once(desk: Desk) -> None:
    """Without the expectation the second would go back one more version."""
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    for _ in range(3):
        promoter.promote(MOVE, versions.make().number)
    once = dataclasses.replace(BACK, expected="3")
    promoter.rollback(once)
    with pytest.raises(MovedMeanwhile, match="expected to be version 3 and is version 2"):
        promoter.rollback(once)
    assert desk.holder(FOOD) == "2"


@pytest.mark.timeout(180)
def test_of_two_managers_who_looked_at_the_same_state_one_wins(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    for _ in range(2):
        promoter.promote(MOVE, versions.make().number)
    commands = (["rollback"], ["promote", "--version", versions.make().number])
    environment = {
        **{"PATH": os.environ["PATH"], "HOME": str(desk.folder), "PYTHONPATH": str(ROOT)},
        **{"MLFLOW_TRACKING_URI": desk.uri, "DATABASE_URL": str(desk.ledger.url)},
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "training", *command, FOOD.name, "--expect", "2"],
            cwd=desk.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    said = [process.communicate(timeout=120) for process in running]
    codes = [process.returncode for process in running]
    assert sorted(codes) == [0, 4], said
    assert said[codes.index(4)][1].count("\n") == 1
    moves = [entry for entry in history(desk.ledger, FOOD.name) if entry.from_version == "2"]
    assert [entry.to_version for entry in moves] == [desk.holder(FOOD)]
