"""From a wish to a pull request: the change on a fresh copy of the base, rendered before and after, pushed, proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import PromotionImpossible
from deploy.manifests.diff import as_markdown, compare
from deploy.manifests.kustomize import overlay_folder, overlays, render
from deploy.manifests.objects import parse
from deploy.promotion import wording
from deploy.promotion.forge import Forge, PullRequest, shortened
from deploy.promotion.gate_report import GateReport
from deploy.promotion.overlay import OVERLAYS, Edit, Overlay
from deploy.promotion.repository import Repository

MANIFESTS = ("kustomize", "argocd")


@dataclass(frozen=True, kw_only=True)
class Base:
    """Where pull requests go."""

    remote: str = "origin"
    branch: str = "main"


class Proposals:
    """Opens pull requests that change one line, or take one back. Each method says what it did."""

    def __init__(self, repository: Repository, forge: Forge, base: Base) -> None:
        self._repository, self._forge, self._base = repository, forge, base

    def image(self, overlay: str, name: str, digest: str, *, revision: str | None = None) -> str:
        """The overlay's image of this name at another digest."""
        return self._edited(
            overlay,
            make=lambda found: found.with_digest(digest, name),
            message=wording.image_commit,
            body=lambda edit, rendered: wording.image_body(edit, rendered, revision=revision),
        )

    def next_image(self, overlay: str, name: str, *, source: str) -> str:
        """The digest that another overlay runs, as merged; not again where this overlay ran it and was taken off it."""
        with self._repository.fresh(self._base.remote, self._base.branch) as copy:
            digest, now = (Overlay(copy.folder, each).image(name).digest for each in (source, overlay))
            path = Overlay(copy.folder, overlay).folder / "kustomization.yaml"
            left = copy.last_with(digest, path) if digest != now else None
        if left is not None:
            return (
                f"{overlay} ran {name} at {digest} and was taken off it ({left}): not proposed again; "
                f"who means it says so: make deploy-pr OVERLAY={overlay} DIGEST={digest}"
            )
        return self.image(overlay, name, digest)

    def model(self, overlay: str, model: str, version: str, *, report: GateReport | None = None) -> str:
        """The overlay's model at another version; with the report of its gates, which must all have passed."""
        if report is not None:
            report.expect(model=model, version=version)
        return self._edited(
            overlay,
            make=lambda found: found.with_version(model, version),
            message=wording.model_commit,
            body=lambda edit, rendered: wording.model_body(edit, rendered, report),
        )

    def revert(self, commit: str) -> str:
        """What a merged commit changed in the manifests, taken back. Refuses a commit that changed anything else."""
        with self._repository.fresh(self._base.remote, self._base.branch) as copy:
            paths = copy.revert(commit)
            if not paths:
                return f"{commit} is taken back already: nothing to propose"
            concerned = _concerned(commit, paths, copy.folder)
            after = _rendered(copy.folder, concerned)
            with copy.at("HEAD") as now, copy.at(f"{commit}^1") as then:
                before = _rendered(now.folder, concerned)
                identical = _rendered(then.folder, concerned) == after
            subject = copy.subject(commit)
            copy.commit(wording.revert_commit(subject, commit), *paths)
            body = wording.revert_body(subject, commit, _difference(before, after), identical=identical)
            return self._propose(copy, f"revert/{commit[:12]}", f"revert: {subject}", body)

    def _edited(
        self,
        overlay: str,
        *,
        make: Callable[[Overlay], Edit],
        message: Callable[[Edit], str],
        body: Callable[[Edit, str], str],
    ) -> str:
        with self._repository.fresh(self._base.remote, self._base.branch) as copy:
            found = Overlay(copy.folder, overlay)
            edit = make(found)
            if not edit.changes:
                return f"{overlay} has {edit.thing} at {edit.after} already: nothing to propose"
            before = _rendered(copy.folder, [overlay])
            found.write(edit)
            changes = _difference(before, _rendered(copy.folder, [overlay]))
            copy.commit(message(edit), edit.path)
            return self._propose(copy, f"promote/{overlay}/{edit.thing}", message(edit), body(edit, changes))

    def _propose(self, copy: Repository, branch: str, title: str, body: str) -> str:
        copy.push(self._base.remote, branch)
        request = PullRequest(branch=branch, base=self._base.branch, title=title, body=shortened(body))
        return self._forge.open(request)


def _concerned(commit: str, paths: Iterable[Path], root: Path) -> list[str]:
    """The overlays that may render otherwise: those whose own files changed, or all. Raises where code changed, too."""
    if foreign := [str(path) for path in paths if path.parts[0] not in MANIFESTS]:
        raise PromotionImpossible(
            f"{commit} changes more than manifests ({', '.join(foreign[:3])}): revert it by hand"
        )
    own = {path.parts[2] if path.is_relative_to(OVERLAYS) else None for path in paths}
    known = overlays(root)
    return [name for name in known if name in own] if own <= set(known) else list(known)


def _rendered(root: Path, names: Iterable[str]) -> dict[str, str]:
    """An overlay that is not there renders to nothing."""
    known = overlays(root)
    return {name: render(overlay_folder(name, root)) if name in known else "" for name in names}


def _difference(before: dict[str, str], after: dict[str, str]) -> str:
    """For reviewers, of the overlays that change; a file that only Git and the registry read changes none."""
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    if not changed:
        return "No rendered object changes."
    found = {name: compare(parse(before.get(name, "")), parse(after.get(name, ""))) for name in changed}
    return "\n\n".join(as_markdown(name, changes) for name, changes in found.items())
