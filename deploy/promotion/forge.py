"""Where pull requests are opened: by the program `gh` where there is one, otherwise by the person who reads what to do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.promotion.programs import answer_of

LONGEST_BODY = 60_000  # GitHub takes 65,536 characters


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pushed branch and what is said about it."""

    branch: str
    base: str
    title: str
    body: str


class Forge(Protocol):
    """Opens a pull request, or brings the open one of the same branch up to date. Says where it is."""

    def open(self, request: PullRequest) -> str: ...


class GitHub:
    """By `gh`, which knows the repository from the remote of `folder` and the token from its environment."""

    def __init__(self, folder: Path, program: str = "gh") -> None:
        self._folder, self._program = folder, program

    def open(self, request: PullRequest) -> str:
        if url := self._open_one(request.branch):
            self._gh("edit", url, "--title", request.title, "--body-file", "-", given=request.body)
            return f"brought up to date: {url}"
        created = self._gh(
            *("create", "--base", request.base, "--head", request.branch),
            *("--title", request.title, "--body-file", "-"),
            given=request.body,
        )
        return f"opened: {created.strip()}"

    def _open_one(self, branch: str) -> str:
        query = ("--state", "open", "--json", "url", "--jq", ".[0].url // empty")
        return self._gh("list", "--head", branch, *query).strip()

    def _gh(self, *arguments: str, given: str | None = None) -> str:
        return answer_of([self._program, "pr", *arguments], folder=self._folder, given=given)


class ByHand:
    """Leaves the text in a file and says what is left to do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, request: PullRequest) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{request.branch.replace('/', '-')}.md"
        path.write_text(request.body)
        return (
            f"pushed {request.branch}; `gh` is not installed, so open the pull request yourself: "
            f"title `{request.title}`, text in {path}, or:\n  gh pr create --base {request.base} "
            f"--head {request.branch} --title '{request.title}' --body-file {path}"
        )


def forge_of(folder: Path) -> Forge:
    """What this machine has."""
    return GitHub(folder) if shutil.which("gh") else ByHand(folder / "var" / "pull-requests")


def shortened(body: str) -> str:
    """What the forge still takes."""
    if len(body) <= LONGEST_BODY:
        return body
    return body[:LONGEST_BODY] + "\n```\n\n**Cut here**: `python -m deploy diff` shows the whole of it.\n"
