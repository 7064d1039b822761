"""How aliases move: by rehearsal, in one step or by staging, back, and by several people at once."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from modelkit.definition import load_catalog
from records.ledger import history
from tests.promotion_desk import Desk
from tests.tiny_versions import TinyVersions
from training.errors import PromotionRefused
from training.promotion.alias_ledger import Move
from training.promotion.promote import Promoter
from training.registry import Registry
from training.version import PRODUCTION, STAGING, Version

CATALOG = load_catalog()
FOOD, IRIS = CATALOG["food-delivery"], CATALOG["iris"]
MOVE = Move(alias=PRODUCTION, actor="ada", reason="because")
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_production_may_be_reached_in_one_step_unless_staging_is_required(desk: Desk) -> None:
    versions = desk.versions(FOOD)
    first, second = versions.make(), versions.make()
    strict = desk.promoter(FOOD, require_staging=True)
    with pytest.raises(PromotionRefused, match="was in staging"):
        strict.promote(MOVE, first.number)
    strict.promote(dataclasses.replace(MOVE, alias=STAGING), first.number)
    strict.promote(dataclasses.replace(MOVE, alias=STAGING), second.number)
    strict.promote(MOVE, first.number)
    assert (desk.holder(FOOD), desk.holder(FOOD, STAGING)) == ("1", "2")


def test_a_version_that_is_there_already_is_not_moved_again(desk: Desk) -> None:
    desk.versions(FOOD).candidate()
    promoter = desk.promoter(FOOD)
    promoter.promote(MOVE)
    again = promoter.promote(MOVE)
    assert again.sentence(PRODUCTION) == "production is version 1 already; nothing was moved"
    assert len(history(desk.ledger, FOOD.name)) == 1


def test_a_rehearsal_judges_and_moves_nothing(desk: Desk) -> None:
    desk.versions(FOOD).candidate()
    assert "may go to production; nothing was moved" in desk.promoter(FOOD).rehearse(MOVE).sentence()
    assert desk.holder(FOOD) is None
    assert history(desk.ledger, FOOD.name) == []


def test_a_rollback_may_name_an_approved_version(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    made = [versions.make() for _ in range(4)]
    for version in made[:3]:
        promoter.promote(MOVE, version.number)
    with pytest.raises(PromotionRefused, match="version 4 is no version to go back to"):
        promoter.rollback(MOVE, "4")
    assert promoter.rollback(MOVE, "1").after.number == desk.holder(FOOD) == "1"
    approved = [desk.registry.by_number(FOOD.registry_name, version.number).approved for version in made]
    assert approved == [True, True, False, False]


def test_a_promotion_that_loses_a_race_leaves_no_approval_behind(desk: Desk) -> None:
    versions = desk.versions(FOOD)
    slow, quick = versions.make(), versions.make()

    class Overtaken(Registry):
        """Somebody else promotes while this one is still being judged."""

        def keep_report(self, version: Version, name: str, report: dict[str, Any]) -> None:
            desk.promoter(FOOD).promote(MOVE, quick.number)

    with pytest.raises(PromotionRefused, match="another move came first"):
        Promoter(FOOD, Overtaken(desk.uri), desk.ledger).promote(MOVE, slow.number)
    assert desk.holder(FOOD) == quick.number
    assert not desk.registry.by_number(FOOD.registry_name, slow.number).approved


@pytest.mark.timeout(120)
def test_of_two_processes_that_promote_at_once_one_wins_and_it_is_the_one_in_the_ledger(
    mlflow_uri: str, engine: Engine, tmp_path: Path
) -> None:
    versions = TinyVersions(FOOD, mlflow_uri, tmp_path)
    movers = [versions.make().number for _ in range(2)]
    url = engine.url.render_as_string(hide_password=False)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.alias_mover", mlflow_uri, url, number, str(tmp_path), "2"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in movers
    ]
    said = [process.communicate(timeout=90)[0] for process in running]
    assert sorted(said) == ["lost", "won"]
    winner = Registry(mlflow_uri).by_alias(FOOD.registry_name, PRODUCTION)
    assert winner is not None
    assert winner.number == movers[said.index("won")]
    assert [entry.to_version for entry in history(engine, FOOD.name)] == [winner.number]
