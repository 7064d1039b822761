"""From the digest of a pushed image to production and back, in a real Git repository with a remote and rendered manifests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.errors import DeliveryError, PromotionImpossible
from deploy.promotion.forge import ByHand
from deploy.promotion.overlay import UNRELEASED, Overlay
from deploy.promotion.proposals import Base, Proposals
from deploy.promotion.repository import Repository
from tests.architecture.source_tree import ROOT
from tests.project_copy import git
from tests.promoted_project import PromotedProject

FIRST, SECOND = "sha256:" + "a1" * 32, "sha256:" + "b2" * 32


def test_a_digest_walks_from_staging_to_production_and_back(project: PromotedProject) -> None:
    untouched = project.rendered("production")
    assert "opened: https://" in project.proposals.image("staging", "slipway", FIRST, revision="0123456789ab")
    assert FIRST not in project.rendered("staging")  # not before somebody merges
    project.merge_newest()
    assert f"slipway@{FIRST}" in project.rendered("staging")
    assert project.rendered("production") == untouched

    project.proposals.image("production", "slipway", Overlay(project.clone, "staging").image().digest)
    project.merge_newest()
    released = project.rendered("production")
    assert f"slipway@{FIRST}" in released

    project.proposals.image("production", "slipway", SECOND)
    merged = project.merge_newest()
    assert f"slipway@{SECOND}" in project.rendered("production")

    project.proposals.revert(merged)
    project.merge_newest()
    assert project.rendered("production") == released  # byte for byte


def test_a_promotion_is_one_line_on_a_branch_and_its_text_shows_what_changes(
    project: PromotedProject,
) -> None:
    project.proposals.image("staging", "slipway", FIRST, revision="0123456789ab")
    [request] = project.pull_requests()
    assert (request["head"], request["base"]) == ("promote/staging/slipway", "main")
    assert request["title"] == "chore(staging): slipway at a1a1a1a1a1a1"
    assert project.lines_changed(request["head"]) == [f"-    digest: {UNRELEASED}", f"+    digest: {FIRST}"]
    assert "Built from 0123456789ab" in request["body"]
    assert "changed: Deployment slipway" in request["body"]
    assert f"+        image: ghcr.io/example/slipway@{FIRST}" in request["body"]


def test_the_work_tree_stays_as_it_is(project: PromotedProject) -> None:
    unfinished = project.clone / "kustomize/overlays/staging/kustomization.yaml"
    unfinished.write_text(unfinished.read_text() + "# in the middle of something\n")
    project.proposals.image("staging", "slipway", FIRST)
    assert git(project.clone, "status", "--porcelain").strip() == f"M {unfinished.relative_to(project.clone)}"
    assert git(project.clone, "branch", "--show-current").strip() == "main"
    assert "in the middle" not in "".join(project.lines_changed("promote/staging/slipway"))
    assert len(git(project.clone, "worktree", "list").splitlines()) == 1


def test_a_newer_digest_replaces_the_open_question(project: PromotedProject) -> None:
    project.proposals.image("staging", "slipway", FIRST)
    assert project.proposals.image("staging", "slipway", SECOND).startswith("brought up to date: ")
    [request] = project.pull_requests()
    assert request["title"].endswith("b2b2b2b2b2b2")
    assert project.lines_changed(request["head"])[-1] == f"+    digest: {SECOND}"


def test_what_runs_already_is_not_proposed(project: PromotedProject) -> None:
    project.proposals.image("staging", "slipway", FIRST)
    project.merge_newest()
    assert "already: nothing to propose" in project.proposals.image("staging", "slipway", FIRST)
    assert len(project.pull_requests()) == 1


@pytest.mark.parametrize(
    ("overlay", "image", "digest", "said"),
    [
        ("nowhere", "slipway", FIRST, "there is no overlay nowhere; there are"),
        ("staging", "nginx", FIRST, "staging has no image nginx"),
        ("staging", "slipway", "v1.2.3", "is no digest"),
        ("staging", "slipway", "latest", "is no digest"),
        ("staging", "slipway", FIRST[:-1], "is no digest"),
        ("staging", "slipway", FIRST + "\n", "is no digest"),
        ("staging", "slipway", UNRELEASED, "a digest of zeros is no image"),
        ("dev", "slipway", FIRST, "runs slipway by tag"),
    ],
)
def test_nonsense_is_refused_before_anything_is_pushed(
    project: PromotedProject, overlay: str, image: str, digest: str, said: str
) -> None:
    with pytest.raises(PromotionImpossible, match=said):
        project.proposals.image(overlay, image, digest)
    assert git(project.clone, "ls-remote", "--heads", "origin").splitlines()[1:] == []


def test_a_change_that_does_not_render_is_not_proposed(project: PromotedProject) -> None:
    path = project.clone / "kustomize/overlays/staging/kustomization.yaml"
    path.write_text(path.read_text() + "resources: [../../nowhere]\n")
    project.commit("chore: break it")
    with pytest.raises(DeliveryError, match="does not render"):
        project.proposals.image("staging", "slipway", FIRST)
    assert project.pull_requests() == []


def test_a_rollback_says_whether_it_renders_as_before(project: PromotedProject) -> None:
    project.proposals.image("staging", "slipway", FIRST)
    merged = project.merge_newest()
    project.proposals.revert(merged)
    assert "byte for byte" in project.pull_requests()[-1]["body"]
    settings = project.clone / "kustomize/base/settings.env"
    settings.write_text(settings.read_text().replace("LOG_LEVEL=INFO", "LOG_LEVEL=DEBUG"))
    project.commit("feat: louder")
    project.proposals.revert(merged)
    newest = project.pull_requests()[-1]
    assert "What was merged since stays" in newest["body"]
    assert newest["title"] == "revert: chore(staging): slipway at a1a1a1a1a1a1"


def test_what_production_was_taken_off_is_not_proposed_from_staging_again(project: PromotedProject) -> None:
    project.proposals.image("staging", "slipway", FIRST)
    project.merge_newest()
    assert "opened" in project.proposals.next_image("production", "slipway", source="staging")
    merged = project.merge_newest()
    project.proposals.revert(merged)
    project.merge_newest()
    known = len(project.pull_requests())
    said = project.proposals.next_image("production", "slipway", source="staging")
    assert f"production ran slipway at {FIRST} and was taken off it" in said
    assert "revert: " in said
    assert len(project.pull_requests()) == known
    project.proposals.image("staging", "slipway", SECOND)
    project.merge_newest()
    assert "opened" in project.proposals.next_image("production", "slipway", source="staging")


def test_the_digest_of_another_overlay_is_the_merged_one(project: PromotedProject) -> None:
    path = project.clone / "kustomize/overlays/staging/kustomization.yaml"
    path.write_text(path.read_text().replace(UNRELEASED, FIRST))  # in this work tree only
    with pytest.raises(PromotionImpossible, match="zeros"):
        project.proposals.next_image("production", "slipway", source="staging")


def test_what_is_taken_back_already_is_not_taken_back_again(project: PromotedProject) -> None:
    project.proposals.image("staging", "slipway", FIRST)
    merged = project.merge_newest()
    project.proposals.revert(merged)
    project.merge_newest()
    known = len(project.pull_requests())
    assert "is taken back already: nothing to propose" in project.proposals.revert(merged)
    assert len(project.pull_requests()) == known


def test_code_is_not_reverted_in_passing(project: PromotedProject) -> None:
    (project.clone / "catalog/iris/definition.py").write_text("")
    project.commit("feat: another contract")
    with pytest.raises(PromotionImpossible, match="changes more than manifests"):
        project.proposals.revert(git(project.clone, "rev-parse", "HEAD").strip())


def test_without_the_program_of_the_forge_the_text_is_left_in_a_file(project: PromotedProject) -> None:
    by_hand = Proposals(Repository(project.clone), ByHand(project.clone / "var"), Base())
    said = by_hand.image("staging", "slipway", FIRST)
    assert "gh pr create --base main --head promote/staging/slipway" in said
    assert FIRST in (project.clone / "var/promote-staging-slipway.md").read_text()
    assert len(project.lines_changed("promote/staging/slipway")) == 2


def test_the_command_finds_the_forge_on_the_path_and_reads_the_digest_of_another_overlay(
    project: PromotedProject,
) -> None:
    assert "opened" in deploy(project, "pull-request", "image", "staging", "--digest", FIRST)
    project.merge_newest()
    assert "opened" in deploy(project, "pull-request", "image", "production", "--from", "staging")
    project.merge_newest()
    assert deploy(project, "about", "image", "production").strip() == f"ghcr.io/example/slipway@{FIRST}"


def test_in_the_work_tree_a_promotion_is_one_line_too(
    project: PromotedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    with chdir(project.clone):
        assert main(["promote-image", "staging", "--digest", FIRST]) == 0
        assert main(["promote-model", "staging", "iris", "77"]) == 0
        assert main(["promote-image", "staging", "--digest", "latest"]) == 2
    said = capsys.readouterr()
    assert f"slipway from {UNRELEASED} to {FIRST}" in said.out
    assert said.err.startswith("promote-image: latest is no digest")
    assert git(project.clone, "diff", "--shortstat").strip().startswith("2 files changed, 2 insertions(+)")


def deploy(project: PromotedProject, *arguments: str) -> str:
    shutil.copy2(ROOT / "tests/fakes/gh", project.programs / "gh")
    path = os.pathsep.join(
        [
            str(project.programs),
            str(ROOT / ".venv-tools/bin"),
            str(Path(sys.executable).parent),
            os.environ["PATH"],
        ]
    )
    done = subprocess.run(
        [sys.executable, "-m", "deploy", *arguments],
        cwd=project.clone,
        env={"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(project.programs)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
