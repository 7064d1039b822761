"""What changes in a cluster, object by object: for the reviewer of a pull request, and for the person at a terminal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deploy.manifests.objects import Identity, Manifest

CONTEXT_LINES = 3


@dataclass(frozen=True)
class Change:
    """One object before and after; one of the two may be missing."""

    before: Manifest | None
    after: Manifest | None

    @property
    def verb(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def title(self) -> str:
        shown = self.after or self.before
        assert shown is not None
        if self.before and self.after and self.before.identity != self.after.identity:
            return f"{self.before.identity} → {self.after.identity.name}"  # settings changed, and so did the hash
        return str(shown.identity)

    @property
    def lines(self) -> list[str]:
        """A unified diff without file names."""
        old = self.before.yaml.splitlines() if self.before else []
        new = self.after.yaml.splitlines() if self.after else []
        return list(difflib.unified_diff(old, new, lineterm="", n=CONTEXT_LINES))[2:]


def compare(before: Iterable[Manifest], after: Iterable[Manifest]) -> tuple[Change, ...]:
    """Changes in a fixed order; an object under a new hash is the same object changed."""
    old, new = _by_written_name(before), _by_written_name(after)
    pairs = [(old.get(identity), new.get(identity)) for identity in sorted({*old, *new})]
    return tuple(Change(*pair) for pair in pairs if _body(pair[0]) != _body(pair[1]))


def as_text(overlay: str, changes: Sequence[Change]) -> str:
    lines = [f"{overlay}: {summary(changes)}"]
    for change in changes:
        lines += ["", f"{change.verb}: {change.title}", *(f"  {line}" for line in change.lines)]
    return "\n".join(lines)


def as_markdown(overlay: str, changes: Sequence[Change]) -> str:
    """For a comment: the summary is read, the rest is opened by whoever doubts it."""
    lines = [f"### `{overlay}`: {summary(changes)}"]
    for change in changes:
        fence = "````" if any("```" in line for line in change.lines) else "```"
        lines += ["", f"<details><summary>{change.verb}: {change.title}</summary>", "", f"{fence}diff"]
        lines += [*change.lines, fence, "", "</details>"]
    return "\n".join(lines)


def summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "no change"
    counts = {
        verb: sum(change.verb == verb for change in changes) for verb in ("added", "changed", "removed")
    }
    return ", ".join(f"{count} {verb}" for verb, count in counts.items() if count)


def _by_written_name(manifests: Iterable[Manifest]) -> dict[Identity, Manifest]:
    return {manifest.identity.unhashed: manifest for manifest in manifests}


def _body(manifest: Manifest | None) -> object:
    return None if manifest is None else manifest.body
