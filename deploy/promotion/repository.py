"""Git, as far as a pull request needs it: a fresh copy of the base, one commit, one branch of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import PromotionImpossible
from deploy.promotion.programs import answer_of

COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Repository:
    """The project's work tree, or a copy of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def fresh(self, remote: str, base: str) -> Iterator[Repository]:
        """The newest base in a folder of its own: what lies uncommitted in the caller's tree stays there, untouched."""
        self._git("fetch", "--quiet", remote, base)
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            copy = Path(folder) / "base"
            self._git("worktree", "add", "--quiet", "--detach", str(copy), "FETCH_HEAD")
            try:
                yield Repository(copy)
            finally:
                self._git("worktree", "remove", "--force", str(copy))

    @contextmanager
    def at(self, reference: str) -> Iterator[Repository]:
        """The tree of a commit, to be looked at."""
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            copy = Path(folder) / "then"
            self._git("worktree", "add", "--quiet", "--detach", str(copy), reference)
            try:
                yield Repository(copy)
            finally:
                self._git("worktree", "remove", "--force", str(copy))

    def commit(self, message: str, *paths: Path) -> None:
        """Hooks are the contributor's; the checks of the pull request are the same ones."""
        self._git("commit", "--quiet", "--no-verify", "--message", message, "--", *map(str, paths))

    def push(self, remote: str, branch: str) -> None:
        """The branch belongs to promotion: a newer promotion of the same thing replaces an open one."""
        self._git("push", "--quiet", "--force", remote, f"HEAD:refs/heads/{branch}")

    def revert(self, commit: str) -> list[Path]:
        """Takes a commit back in the work tree, a merge towards the branch it was merged into. Says which files."""
        if not COMMIT.fullmatch(commit):
            raise PromotionImpossible(f"{commit} is no commit: say its hash")
        mainline = ["--mainline", "1"] if len(self.parents(commit)) > 1 else []
        self._git("revert", "--no-commit", *mainline, commit)
        return [Path(name) for name in self._git("diff", "--cached", "--name-only", "-z").split("\0") if name]

    def last_with(self, text: str, path: Path) -> str | None:
        """The newest commit that brought this text into the file, or took it out; None where it was never in there."""
        found = self._git("log", "--max-count=1", "--format=%h %s", f"-S{text}", "--", str(path)).strip()
        return found or None

    def parents(self, commit: str) -> list[str]:
        return self._git("rev-list", "--parents", "--max-count=1", commit).split()[1:]

    def subject(self, commit: str) -> str:
        return self._git("show", "--no-patch", "--format=%s", commit).strip()

    def _git(self, *arguments: str) -> str:
        return answer_of(["git", *arguments], folder=self.folder)
