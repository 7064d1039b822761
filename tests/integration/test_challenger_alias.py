"""How a version becomes the challenger and stops being it: judged, on the record, and nobody else's alias moves."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from modelkit.definition import load_catalog
from records.ledger import history
from tests.architecture.source_tree import ROOT
from tests.promotion_desk import Desk
from tests.tiny_versions import TinyVersions
from training.errors import MovedMeanwhile, PromotionRefused
from training.promotion.alias_ledger import DISMISS, AliasLedger, Move
from training.version import CHALLENGER, PRODUCTION

FOOD = load_catalog()["food-delivery"]
PROMOTE = Move(alias=CHALLENGER, actor="ada", reason="is it better?")
DISMISSED = Move(alias=CHALLENGER, actor="bob", reason="it is not", action=DISMISS)

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture
def versions(desk: Desk) -> TinyVersions:
    return desk.versions(FOOD)


@pytest.fixture
def challenged(desk: Desk, versions: TinyVersions) -> Desk:
    """Version 1 in production, version 2 its challenger."""
    promoter = desk.promoter(FOOD)
    promoter.promote(dataclasses.replace(PROMOTE, alias=PRODUCTION), versions.make().number)
    promoter.promote(PROMOTE, versions.make().number)
    return desk


def test_a_challenger_is_judged_and_in_the_ledger(challenged: Desk) -> None:
    assert (challenged.holder(FOOD, PRODUCTION), challenged.holder(FOOD, CHALLENGER)) == ("1", "2")
    entry = history(challenged.ledger, FOOD.name)[0]
    assert (entry.alias, entry.action, entry.to_version, entry.actor) == (CHALLENGER, "promote", "2", "ada")
    assert entry.report is not None
    assert not challenged.registry.by_number(FOOD.registry_name, "2").approved


def test_a_version_that_fails_its_gates_is_no_challenger(challenged: Desk, versions: TinyVersions) -> None:
    gate = FOOD.gates[0]
    number = versions.make(metrics={gate.metric: -1e9 if gate.at_least is not None else 1e9}).number
    with pytest.raises(PromotionRefused):
        challenged.promoter(FOOD).promote(PROMOTE, number)
    assert challenged.holder(FOOD, CHALLENGER) == "2"


def test_a_dismissal_takes_the_alias_and_is_in_the_ledger(challenged: Desk) -> None:
    aliases = AliasLedger(FOOD, challenged.registry, challenged.ledger)
    left = aliases.seen(DISMISSED)
    assert left is not None
    aliases.dismiss(left, DISMISSED)
    assert (challenged.holder(FOOD, PRODUCTION), challenged.holder(FOOD, CHALLENGER)) == ("1", None)
    entry = history(challenged.ledger, FOOD.name)[0]
    assert (entry.action, entry.from_version, entry.to_version, entry.actor) == ("dismiss", "2", None, "bob")
    assert challenged.registry.by_number(FOOD.registry_name, "2").withdrawn is None
    with pytest.raises(MovedMeanwhile):
        aliases.dismiss(left, DISMISSED)


def test_the_command_says_what_it_did(challenged: Desk) -> None:
    refused, done = (dismiss(challenged, *more) for more in (("--expect", "3"), ()))
    assert (refused.returncode, done.returncode) == (4, 0)
    assert done.stdout == "dismiss food-delivery: challenger is no version now (before: version 2)\n"


def dismiss(desk: Desk, *more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(desk.folder),
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": desk.uri,
        "DATABASE_URL": desk.ledger.url.render_as_string(hide_password=False),
    }
    command = [sys.executable, "-m", "training", "dismiss", FOOD.name, "--reason", "it is not", *more]
    return subprocess.run(
        command, cwd=desk.folder, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
