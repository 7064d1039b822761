"""A version from its gates to a pull request, from the merge to the alias, and back: Git, registry and ledger are real."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from deploy.errors import PromotionImpossible
from deploy.promotion.gate_report import GateReport, read_gate_report
from modelkit.definition import load_catalog
from records.ledger import history
from tests.architecture.source_tree import ROOT
from tests.project_copy import git
from tests.promoted_project import PromotedProject
from tests.promotion_desk import Desk
from training.commands import align, promote
from training.errors import MovedMeanwhile, NotRegistered, PromotionRefused, RecordDiffers
from training.promotion.alias_ledger import Move
from training.settings import TrainingSettings
from training.version import PRODUCTION, SYNTHETIC, UNKNOWN

IRIS = load_catalog()["iris"]
RECORD = Path("kustomize/overlays/production/models.env")
BY_HAND = Move(alias=PRODUCTION, actor="bob", reason="in a hurry")

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


class Shop:
    """One clone beside one registry: what a workflow does, step by step, in this process."""

    def __init__(self, project: PromotedProject, desk: Desk, database_url: str) -> None:
        self.project, self.desk, self.versions = project, desk, desk.versions(IRIS)
        self.settings = TrainingSettings(
            mlflow_tracking_uri=desk.uri, database_url=database_url, slipway_env="production"
        )

    def judge(self, version: str) -> GateReport:
        """`make model-pr`, first half."""
        path = self.desk.folder / "gates.json"
        self.run(promote, "iris", "--version", version, "--dry-run", "--report", str(path))
        return read_gate_report(path)

    def propose(self, version: str) -> str:
        """And the second."""
        return self.project.proposals.model("production", "iris", version, report=self.judge(version))

    def align(self, *arguments: str) -> str:
        """`make aliases` after a merge, `make aliases-check` with --check."""
        return self.run(align, str(RECORD), *arguments)

    def ship(self, version: str) -> str:
        self.propose(version)
        merged = self.project.merge_newest()
        self.align("--since", f"{merged}^1")
        return merged

    def run(self, command: object, *arguments: str) -> str:
        parser = argparse.ArgumentParser()
        if command is promote:
            parser.add_argument("models", nargs="+")
        command.add_arguments(parser)  # type: ignore[attr-defined]
        parsed = parser.parse_args([*arguments, "--actor", "ada"])
        return str(command.run(parsed, IRIS, self.settings))  # type: ignore[attr-defined]

    @property
    def production(self) -> str | None:
        return self.desk.holder(IRIS)


@pytest.fixture
def shop(project: PromotedProject, desk: Desk, sqlite_url: str) -> Iterator[Shop]:
    """Version 1 of iris is in production, and Git says so; version 2 is as good."""
    made = Shop(project, desk, sqlite_url)
    desk.promoter(IRIS).promote(BY_HAND, made.versions.make().number)
    made.versions.make(metrics={"overall.accuracy": 0.99})
    (project.clone / RECORD).write_text("# What production answers with\niris=1  # since the start\n")
    project.commit("chore: record versions")
    with chdir(project.clone):
        yield made


def test_a_version_walks_from_its_gates_to_production_and_back(shop: Shop) -> None:
    assert "opened" in shop.propose("2")
    [request] = shop.project.pull_requests()
    assert request["title"] == "chore(production): iris at version 2"
    assert shop.project.lines_changed(request["head"]) == [
        "-iris=1  # since the start",
        "+iris=2  # since the start",
    ]
    assert "| metric | version 1 | version 2 | gate |" in request["body"]
    assert "catalog/iris/CARD.md" in request["body"]
    assert shop.production == "1"  # a pull request moves nothing

    merged = shop.project.merge_newest()
    assert "production is now version 2 (before: version 1)" in shop.align("--since", f"{merged}^1")
    assert shop.production == "2"
    assert "agree" in shop.align("--check")

    shop.project.proposals.revert(merged)
    back = shop.project.merge_newest()
    assert "production is now version 1 (before: version 2)" in shop.align("--since", f"{back}^1")
    assert shop.production == "1"
    assert "iris=1  # since the start" in (shop.project.clone / RECORD).read_text()
    moves = [entry for entry in history(shop.desk.ledger, "iris") if entry.alias == PRODUCTION]
    assert [(entry.action, entry.to_version, entry.actor) for entry in moves] == [
        ("rollback", "1", "ada"),
        ("promote", "2", "ada"),
        ("promote", "1", "bob"),
    ]
    assert moves[0].reason.startswith(f"git {back[:12]} {RECORD}")


def test_the_table_has_both_versions_and_every_gate(shop: Shop) -> None:
    report = shop.judge("2")
    accuracy = next(gate for gate in report.gates if gate.metric == "overall.accuracy")
    assert (accuracy.value, report.before, report.version) == (0.99, "1", "2")
    assert accuracy.before is not None
    assert f"| `overall.accuracy` | {accuracy.before:.6g} | 0.99 |" in "\n".join(report.table())
    assert len(report.table()) == 2 + len(report.gates)


def test_a_version_that_fails_a_gate_leaves_a_report_and_gets_no_pull_request(shop: Shop) -> None:
    worse = shop.versions.make(metrics={"overall.accuracy": 0.1}).number
    with pytest.raises(PromotionRefused, match=r"overall\.accuracy = 0\.1"):
        shop.judge(worse)
    report = read_gate_report(shop.desk.folder / "gates.json")
    assert "| 0.1 | accuracy" in "\n".join(report.table())
    with pytest.raises(PromotionImpossible, match="fails its gates"):
        shop.project.proposals.model("production", "iris", worse, report=report)
    assert shop.project.pull_requests() == []


@pytest.mark.parametrize("raw_data", [SYNTHETIC, UNKNOWN])
def test_what_did_not_learn_from_real_data_is_refused_outside_development(shop: Shop, raw_data: str) -> None:
    made_up = shop.versions.make(raw_data=raw_data).number
    assert shop.settings.slipway_env == "production"
    with pytest.raises(PromotionRefused, match=r"real data: data\.real = 0"):
        shop.judge(made_up)
    (shop.project.clone / RECORD).write_text(f"iris={made_up}\n")
    with pytest.raises(PromotionRefused, match="real data"):
        shop.align()
    assert shop.production == "1"
    shop.settings = shop.settings.model_copy(update={"slipway_env": "dev"})
    with pytest.raises(PromotionRefused, match="real data"):
        shop.align("--real-data")  # as `make aliases` says, whose overlays are no development
    assert "real data" not in shop.align()


def test_synthetic_data_are_taken_where_somebody_says_so_and_the_pull_request_says_it_too(shop: Shop) -> None:
    made_up = shop.versions.make(raw_data=SYNTHETIC).number
    path = shop.desk.folder / "gates.json"
    shop.run(promote, "iris", "--version", made_up, "--dry-run", "--synthetic", "--report", str(path))
    shop.project.proposals.model("production", "iris", made_up, report=read_gate_report(path))
    assert "**synthetic raw data**" in shop.project.pull_requests()[-1]["body"]


def test_a_report_about_another_version_is_refused(shop: Shop) -> None:
    with pytest.raises(PromotionImpossible, match="about version 2 of iris, not 1 of iris"):
        shop.project.proposals.model("production", "iris", "1", report=shop.judge("2"))


def test_a_merge_that_was_merged_twice_moves_once(shop: Shop) -> None:
    merged = shop.ship("2")
    assert "already; nothing was moved" in shop.align("--since", f"{merged}^1")


def test_an_alias_that_moved_meanwhile_is_left_alone(shop: Shop) -> None:
    shop.propose("2")
    merged = shop.project.merge_newest()
    shop.desk.registry.remove_alias(IRIS.registry_name, PRODUCTION)
    with pytest.raises(MovedMeanwhile, match="expected to be version 1 and is no version"):
        shop.align("--since", f"{merged}^1")
    assert shop.production is None


def test_a_model_that_cannot_follow_holds_up_no_other(shop: Shop) -> None:
    (shop.project.clone / RECORD).write_text("basket=1\niris=2\nhousing=7\n")
    with pytest.raises(NotRegistered) as said:
        shop.align()
    lines = str(said.value).splitlines()
    assert lines[0] == "2 of 3 aliases could not follow Git"
    assert "  iris: production is now version 2 (before: version 1)" in lines
    refused = [line for line in lines if "not moved: " in line]
    assert [line.split(":")[0].strip() for line in refused] == ["basket", "housing"]
    assert shop.production == "2"


def test_the_first_promotion_needs_no_line_and_no_alias(shop: Shop) -> None:
    shop.desk.registry.remove_alias(IRIS.registry_name, PRODUCTION)
    (shop.project.clone / RECORD).write_bytes((ROOT / RECORD).read_bytes())
    shop.project.commit("chore: as a new project is")
    assert "file names no model" in shop.align("--check")
    assert "opened" in shop.propose("2")
    assert shop.project.lines_changed("promote/production/iris") == ["+iris=2"]
    merged = shop.project.merge_newest()
    assert "production is now version 2 (before: none)" in shop.align("--since", f"{merged}^1")
    assert "agree" in shop.align("--check")


def test_the_check_says_that_a_merge_has_not_moved_the_alias(shop: Shop) -> None:
    shop.ship("2")
    (shop.project.clone / RECORD).write_text("iris=1\n")
    with pytest.raises(
        RecordDiffers, match="Git says version 1, production is version 2: Git is ahead"
    ) as said:
        shop.align("--check")
    assert said.value.exit_code == 4
    assert "make aliases" in str(said.value)


def test_git_is_ahead_with_a_version_that_was_never_tried(shop: Shop) -> None:
    (shop.project.clone / RECORD).write_text("iris=2\n")
    with pytest.raises(RecordDiffers, match="Git says version 2, production is version 1: Git is ahead"):
        shop.align("--check")


def test_the_check_says_that_a_hand_has_moved_the_alias_and_how_to_record_it(shop: Shop) -> None:
    shop.desk.promoter(IRIS).promote(BY_HAND, "2")
    with pytest.raises(
        RecordDiffers, match=r"the registry is ahead, moved by bob on .* without a pull request"
    ) as said:
        shop.align("--check")
    assert "(in a hurry)" in str(said.value)
    shop.project.proposals.model("production", "iris", "2")
    merged = shop.project.merge_newest()
    assert "already" in shop.align("--since", f"{merged}^1")
    assert "agree" in shop.align("--check")


def test_the_check_notices_a_move_behind_the_ledger(shop: Shop) -> None:
    second = shop.desk.registry.by_number(IRIS.registry_name, "2")
    shop.desk.registry.move_alias(second, PRODUCTION)
    with pytest.raises(RecordDiffers, match="moved without ledger or pull request"):
        shop.align("--check")


def test_lines_that_did_not_change_are_not_acted_on(shop: Shop) -> None:
    shop.desk.promoter(IRIS).promote(BY_HAND, "2")
    git(shop.project.clone, "commit", "--quiet", "--allow-empty", "-m", "chore: something else")
    assert shop.align("--since", "HEAD^1") == "aliases follow Git"
    assert shop.production == "2"


def test_a_model_that_git_does_not_name_is_nobodys_business(shop: Shop) -> None:
    (shop.project.clone / RECORD).write_text("# nothing yet\n")
    assert shop.align("--check") == "Git and the registry agree: the file names no model"


@pytest.mark.parametrize(
    ("model", "version", "said"),
    [
        ("roses", "2", "the catalog declares no roses"),
        ("iris", "latest", "latest is no version"),
        ("iris", "0", "0 is no version"),
        ("iris", "2\nhousing=1", "is no version"),
    ],
)
def test_nonsense_is_refused(shop: Shop, model: str, version: str, said: str) -> None:
    with pytest.raises(PromotionImpossible, match=said):
        shop.project.proposals.model("production", model, version)


def test_a_pinned_overlay_renders_the_version_that_its_line_says(shop: Shop) -> None:
    pin(shop.project)
    before = shop.project.rendered("production")
    assert "iris=1" in before
    assert "MODEL_SOURCE: pinned" in before
    shop.propose("2")
    assert "+    iris=2" in shop.project.pull_requests()[-1]["body"]
    merged = shop.project.merge_newest()
    after = shop.project.rendered("production")
    assert "iris=2" in after
    assert names_of_models(before) != names_of_models(after)  # another name: the pods roll
    shop.project.proposals.revert(merged)
    shop.project.merge_newest()
    assert shop.project.rendered("production") == before


def pin(project: PromotedProject) -> None:
    """As the component `pinned` says that an overlay lists it."""
    path = project.clone / "kustomize/overlays/production/kustomization.yaml"
    text = path.read_text()
    for line, more in (
        ("  - ../../components/model-store-init\n", "  - ../../components/pinned\n"),
        ("configMapGenerator:\n", "  - {name: slipway-models, files: [models.env]}\n"),
    ):
        assert text.count(line) == 1
        text = text.replace(line, line + more)
    path.write_text(text)
    project.commit("feat: pin the versions")


def names_of_models(rendered: str) -> set[str]:
    return {line.strip() for line in rendered.splitlines() if "name: slipway-models-" in line}
