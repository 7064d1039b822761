"""What a pull request says: why, the line that changes, what that changes in the cluster, and how to undo it."""

from __future__ import annotations

from deploy.promotion.gate_report import GateReport
from deploy.promotion.overlay import UNRELEASED, Edit

SHOWN_DIGITS = 12
MEASURED = "measured"
UNDO = (
    "**Undo**: `make revert-pr COMMIT=` and the hash of the merge. Argo CD takes no rollback of its own "
    "while it syncs by itself; Git is where one goes back."
)


def image_commit(edit: Edit) -> str:
    return f"chore({edit.overlay}): {edit.thing} at {short(edit.after)}"


def model_commit(edit: Edit) -> str:
    return f"chore({edit.overlay}): {edit.thing} at version {edit.after}"


def revert_commit(subject: str, commit: str) -> str:
    return f"revert: {subject}\n\nThis reverts commit {commit}."


def image_body(edit: Edit, rendered: str, *, revision: str | None) -> str:
    before = "none released before" if edit.before in (None, UNRELEASED) else f"`{edit.before}`"
    built = f"\nBuilt from {revision}." if revision else ""
    return _joined(
        f"`{edit.overlay}` runs the image `{edit.thing}` by digest. One line changes in `{edit.path}`:",
        f"| | digest |\n|---|---|\n| now | {before} |\n| then | `{edit.after}` |\n{built}",
        f"Merged, Argo CD rolls the pods; `make verify OVERLAY={edit.overlay}` waits until every one runs this "
        "digest and answers.",
        rendered,
        UNDO,
    )


def model_body(edit: Edit, rendered: str, report: GateReport | None) -> str:
    before = f"version {edit.before}" if edit.before else "no version that Git knew of"
    return _joined(
        f"`{edit.overlay}` answers for `{edit.thing}` with **version {edit.after}** instead of {before}. "
        f"One line changes in `{edit.path}`:",
        f"| | version |\n|---|---|\n| now | {edit.before or '–'} |\n| then | {edit.after} |",
        *(_judged(report) if report else ("No gates were asked: the merge will ask them.",)),
        "Merged, the alias in the registry moves (overlays in `follow` mode), or the pods roll (overlays with the "
        "component `pinned`).",
        rendered,
        UNDO,
    )


def revert_body(subject: str, commit: str, rendered: str, *, identical: bool) -> str:
    proof = (
        "Every overlay that it touched renders **byte for byte** as it did before that commit."
        if identical
        else "What was merged since stays: the overlays do not render as before that commit, see below."
    )
    return _joined(f"Takes back `{commit[:SHOWN_DIGITS]}`: {subject}", proof, rendered)


def short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:SHOWN_DIGITS]


def _judged(report: GateReport) -> list[str]:
    origin = [f"MLflow run `{report.run}`"]
    origin += [f"commit `{report.commit[:SHOWN_DIGITS]}`"] if report.commit else []
    origin += [f"data `{report.data}`"] if report.data else []
    origin.append(f"{report.raw} raw data" if report.raw == MEASURED else f"**{report.raw} raw data**")
    folder = report.model.replace("-", "_")
    said = [
        "\n".join(report.table()),
        "\n".join(f"- {line}" for line in (*report.notes, report.replay)),
        f"Made by {', '.join(origin)}. Model card: [`catalog/{folder}/CARD.md`](../blob/HEAD/catalog/{folder}/CARD.md)"
        + (", of this version below." if report.card else "."),
    ]
    if report.card:
        said.append(
            f"<details><summary>Model card of version {report.version}</summary>\n\n{report.card}\n\n</details>"
        )
    return said


def _joined(*parts: str) -> str:
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"
