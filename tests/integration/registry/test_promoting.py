"""Promoting and rolling back against a real MLflow registry and a real ledger, both on SQLite."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import pytest
from sqlalchemy import Engine

from modelkit.gates import Gate
from records.engine import open_engine
from tests.iris_versions import (
    IRIS,
    MOVE,
    Register,
    Trained,
    in_production,
    of_production,
    promote_both,
)
from training.errors import NotRegistered, PromotionRefused
from training.layout import Layout
from training.promotion.alias_ledger import AliasLedger
from training.promotion.promote import Promoter
from training.registry import Registry
from training.version import Version

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_a_promotion_approves_moves_the_alias_and_is_written_down(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter, ledger: Engine
) -> None:
    version = register(trained.first)
    promoter.promote(MOVE)
    assert in_production(registry) == version.number
    assert registry.by_number(IRIS.registry_name, version.number).approved
    [entry] = of_production(ledger)
    assert (entry.action, entry.from_version, entry.to_version, entry.actor) == ("promote", None, "1", "ada")
    assert entry.report is not None
    assert all(gate["passed"] for gate in entry.report["gates"])


def test_a_refused_promotion_says_which_gate_and_by_how_much_and_moves_nothing(
    trained: Trained, registry: Registry, register: Register, ledger: Engine
) -> None:
    version = register(trained.first)
    strict = dataclasses.replace(
        IRIS, gates=(Gate(name="accuracy", metric="overall.accuracy", at_least=1.5),)
    )
    with pytest.raises(PromotionRefused, match=r"accuracy: overall\.accuracy = .* FAILED by 0\.5"):
        Promoter(strict, registry, ledger).promote(MOVE)
    assert in_production(registry) is None
    assert not registry.by_number(IRIS.registry_name, version.number).approved
    assert of_production(ledger) == []


def test_the_gate_report_of_a_refused_promotion_is_kept(
    trained: Trained, registry: Registry, register: Register, ledger: Engine, tmp_path: Path
) -> None:
    version = register(trained.first)
    strict = dataclasses.replace(IRIS, gates=(Gate(name="unmeasured", metric="no.such", at_most=1),))
    with pytest.raises(PromotionRefused, match="not measured"):
        Promoter(strict, registry, ledger).promote(MOVE)
    report = json.loads(registry.download(version, "gates/production.json", tmp_path / "report").read_text())
    assert [gate["passed"] for gate in report["gates"]] == [
        False,
        True,
        True,
    ]  # ours, the signature, the replay


def test_a_version_worse_than_the_champion_is_refused(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter, ledger: Engine
) -> None:
    register(trained.first)
    promoter.promote(MOVE)
    register(trained.worse)
    lenient = Promoter(dataclasses.replace(IRIS, gates=()), registry, ledger)
    with pytest.raises(PromotionRefused, match=r"champion \(version 1\)"):
        lenient.promote(MOVE)
    assert in_production(registry) == "1"


def test_a_version_without_a_signature_is_refused(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter
) -> None:
    version = register(trained.first)
    unsigned = unsigned_copy(version, registry, trained.first)
    with pytest.raises(PromotionRefused, match="signature"):
        promoter.promote(MOVE, unsigned.number)


def test_a_rollback_goes_back_and_withdraws_the_approval(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter, ledger: Engine
) -> None:
    promote_both(trained, register, promoter)
    moved = promoter.rollback(MOVE)
    assert (moved.before.number if moved.before else None, moved.after.number) == ("2", "1")
    assert in_production(registry) == "1"
    assert registry.by_number(IRIS.registry_name, "1").approved
    assert not registry.by_number(IRIS.registry_name, "2").approved
    assert [entry.action for entry in of_production(ledger)] == ["rollback", "promote", "promote"]


def test_a_second_rollback_does_not_return_to_the_version_that_was_left(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter
) -> None:
    promote_both(trained, register, promoter)
    promoter.rollback(MOVE)
    with pytest.raises(NotRegistered, match="no approved version"):
        promoter.rollback(MOVE)
    assert in_production(registry) == "1"


def test_a_withdrawn_version_can_be_promoted_again_and_rolled_back_again(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter
) -> None:
    promote_both(trained, register, promoter)
    promoter.rollback(MOVE)
    promoter.promote(MOVE, "2", again=True)
    assert promoter.rollback(MOVE).after.number == "1"


def test_an_alias_that_moved_since_it_was_looked_at_is_left_alone(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter, ledger: Engine
) -> None:
    promote_both(trained, register, promoter)
    aliases = AliasLedger(IRIS, registry, ledger)
    seen_earlier = registry.by_number(IRIS.registry_name, "1")
    with pytest.raises(PromotionRefused, match="another move came first"):
        aliases.move(seen_earlier, seen_earlier, MOVE)
    assert in_production(registry) == "2"
    assert len(of_production(ledger)) == 2


def test_of_two_moves_at_once_exactly_one_wins(
    trained: Trained, registry: Registry, register: Register, engine: Engine
) -> None:
    versions = [register(layout) for layout in (trained.first, trained.second)]
    start = threading.Barrier(2)

    def try_to_move(version: Version) -> bool:
        start.wait()
        try:
            AliasLedger(IRIS, registry, engine).move(None, version, MOVE)
        except PromotionRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(try_to_move, versions))
    assert sorted(won) == [False, True]
    assert in_production(registry) == versions[won.index(True)].number
    assert [entry.to_version for entry in of_production(engine)] == [in_production(registry)]


def test_a_version_that_only_reached_staging_is_not_approved(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter
) -> None:
    version = register(trained.first)
    promoter.promote(dataclasses.replace(MOVE, alias="staging"))
    found = registry.by_number(IRIS.registry_name, version.number)
    assert "staging" in found.aliases
    assert not found.approved


def test_a_move_that_cannot_be_written_down_is_taken_back(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter, tmp_path: Path
) -> None:
    promote_both(trained, register, promoter)
    without_tables = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    versions = [registry.by_number(IRIS.registry_name, number) for number in ("1", "2")]
    with pytest.raises(Exception, match="no such table"):
        AliasLedger(IRIS, registry, without_tables).move(versions[1], versions[0], MOVE)
    without_tables.dispose()
    assert in_production(registry) == "2"


def unsigned_copy(version: Version, registry: Registry, layout: Layout) -> Version:
    """The same run under a second version whose logged model has no signature."""
    from training.fitting.pipeline_file import TRUSTED_TYPES, load_pipeline

    with mlflow.start_run(run_id=version.run_id):
        info = mlflow.sklearn.log_model(
            load_pipeline(layout.pipeline),
            name="unsigned",
            skops_trusted_types=TRUSTED_TYPES,
            pip_requirements=[],
        )
    client = mlflow.MlflowClient()
    created = client.create_model_version(
        version.registry_name, info.model_uri, version.run_id, tags=version.tags, model_id=info.model_id
    )
    return registry.by_number(version.registry_name, str(created.version))


def test_a_rehearsal_leaves_the_figures_of_both_versions_and_the_model_card(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter
) -> None:
    register(trained.first)
    promoter.promote(MOVE)
    second = register(trained.second)
    found = promoter.rehearse(MOVE, second.number).document(registry)
    assert (found["before"], found["version"], found["passed"]) == ("1", "2", True)
    figures = {gate["metric"]: (gate["before"], gate["value"]) for gate in found["gates"]}
    assert all(figures["overall.accuracy"])
    assert found["card"].startswith("# ")
    assert found["commit"] == second.tags["slipway.git_sha"]
    assert in_production(registry) == "1"
