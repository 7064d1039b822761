"""A clone with a remote of its own, for tests that promote: manifests and declarations of the project, and a fake forge."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.manifests.kustomize import overlay_folder, render
from deploy.promotion.forge import GitHub
from deploy.promotion.proposals import Base, Proposals
from deploy.promotion.repository import Repository
from tests.architecture.source_tree import ROOT, files
from tests.project_copy import git

IDENTITY = ("user.name=ada", "user.email=ada@localhost", "commit.gpgsign=false")


@dataclass(frozen=True, kw_only=True)
class PromotedProject:
    """`clone` is what a person or a workflow works in; `programs` holds the fake `gh` and what it was told."""

    clone: Path
    programs: Path

    @property
    def proposals(self) -> Proposals:
        forge = GitHub(self.clone, program=str(self.programs / "gh"))
        return Proposals(Repository(self.clone), forge, Base())

    def pull_requests(self) -> list[dict[str, Any]]:
        kept = self.programs / "pull_requests.json"
        return json.loads(kept.read_text()) if kept.exists() else []

    def merge_newest(self) -> str:
        """As a person does on the forge. Returns the merge commit."""
        kept = self.pull_requests()
        newest = next(each for each in reversed(kept) if each["state"] == "open")
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "merge", "--quiet", "--no-ff", "-m", newest["title"], f"origin/{newest['head']}")
        git(self.clone, "push", "--quiet", "origin", "main")
        newest["state"] = "merged"
        (self.programs / "pull_requests.json").write_text(json.dumps(kept))
        return git(self.clone, "rev-parse", "HEAD").strip()

    def rendered(self, overlay: str) -> str:
        return render(overlay_folder(overlay, self.clone))

    def commit(self, message: str) -> None:
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "-m", message)
        git(self.clone, "push", "--quiet", "origin", "main")

    def lines_changed(self, branch: str) -> list[str]:
        """What a proposed branch adds and removes."""
        git(self.clone, "fetch", "--quiet", "origin")
        diff = git(self.clone, "diff", "--unified=0", f"main...origin/{branch}")
        return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def promoted_project(folder: Path) -> PromotedProject:
    clone, programs = folder / "clone", folder / "programs"
    for path in files():
        if path.parts[0] in {"kustomize", "argocd"} or path.name == "definition.py":
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, clone / path)
    programs.mkdir()
    shutil.copy2(ROOT / "tests/fakes/gh", programs / "gh")
    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", "remote.git")
    git(clone, "init", "--quiet", "--initial-branch", "main")
    for setting in IDENTITY:
        git(clone, "config", *setting.split("="))
    git(clone, "remote", "add", "origin", str(folder / "remote.git"))
    made = PromotedProject(clone=clone, programs=programs)
    made.commit("build: the project")
    return made
