"""What a workflow may be, as rules that each return what breaks them: the test applies them, and its mutants break them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from tests.architecture.source_tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+)(?: [a-z- ]+)?:(?!=)", MAKEFILE, flags=re.MULTILINE))
# What no make target could do for a laptop: tell Git and GitHub who this run is, and put a file where its readers look.
PLUMBING = {
    "gh auth setup-git",
    'gh pr comment "$NUMBER" --body-file reports/rendered-diff.md --edit-last --create-if-none',
    'cat reports/rendered-diff.md >> "$GITHUB_STEP_SUMMARY"',
}
MAKE = re.compile(r'make (?P<target>[a-z-]+)(?: [A-Z]+=[a-zA-Z0-9]+)*(?: >> "\$GITHUB_OUTPUT")?')
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
GUARDED = {"plain-inputs", *re.findall(r"^([a-z-]+): plain-inputs", MAKEFILE, flags=re.MULTILINE)}
PROPOSING = {"propose", "propose-production", "staging"}  # jobs that push a branch and open a pull request
WRITES = {"contents", "pull-requests", "packages", "security-events", "id-token"}
Rule = Callable[[str], Iterator[str]]


def steps_are_make_targets(text: str) -> Iterator[str]:
    for job, step in _steps(text):
        command = step.get("run")
        if command is None or command in PLUMBING:
            continue
        found = MAKE.fullmatch(command)
        if found is None or found["target"] not in TARGETS:
            yield f"{job}: {command}"


def nothing_is_pasted_into_a_shell(text: str) -> Iterator[str]:
    for job, step in _steps(text):
        if "${{" in str(step.get("run", "")):
            yield f"{job}: {step['run']}"


def inputs_are_looked_at_first(text: str) -> Iterator[str]:
    """Whoever may start a workflow gives a name or a number: the first target that sees it refuses anything else."""
    for name, job in _document(text)["jobs"].items():
        commands = [(step, MAKE.fullmatch(str(step.get("run")))) for step in job.get("steps", ())]
        for step, found in commands:
            given = {**job.get("env", {}), **step.get("env", {})}
            if found and any("inputs." in str(value) for value in given.values()):
                if found["target"] not in GUARDED:
                    yield f"{name}: {found['target']}"
                break


def actions_are_pinned(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if "uses:" in line and not PINNED.search(line):
            yield line.strip()


def nothing_is_allowed_by_default(text: str) -> Iterator[str]:
    if _document(text).get("permissions") != {}:
        yield "permissions of the workflow"
    for name, job in _document(text)["jobs"].items():
        if not isinstance(job.get("permissions"), dict):
            yield f"{name}: no permissions of its own"


def writing_is_the_exception(text: str) -> Iterator[str]:
    for name, job in _document(text)["jobs"].items():
        allowed = job.get("permissions")
        written = (
            {key for key, value in allowed.items() if value == "write"}
            if isinstance(allowed, dict)
            else {"all"}
        )
        if "contents" in written and name not in PROPOSING:
            yield f"{name} may write contents"
        if unknown := written - WRITES:
            yield f"{name} may write {', '.join(sorted(unknown))}"


def jobs_end(text: str) -> Iterator[str]:
    if "concurrency" not in _document(text):
        yield "no concurrency group"
    for name, job in _document(text)["jobs"].items():
        if not 0 < job.get("timeout-minutes", 0) <= 180:
            yield f"{name}: no timeout"


def strangers_start_nothing_that_is_trusted(text: str) -> Iterator[str]:
    for trigger in ("pull_request_target", "workflow_run", "issue_comment"):
        if trigger in _triggers(text):
            yield trigger


def checkouts_keep_no_token(text: str) -> Iterator[str]:
    for job, step in _steps(text):
        checks_out = str(step.get("uses", "")).startswith("actions/checkout@")
        if checks_out and step.get("with", {}).get("persist-credentials") is not False:
            yield job


def secrets_are_given_to_one_step(text: str) -> Iterator[str]:
    for name, job in _document(text)["jobs"].items():
        for variable, value in {**_document(text).get("env", {}), **job.get("env", {})}.items():
            if "secrets." in str(value) or "github.token" in str(value):
                yield f"{name}: {variable}"


def runners_have_a_version(text: str) -> Iterator[str]:
    for name, job in _document(text)["jobs"].items():
        if not re.fullmatch(r"[a-z]+-\d+\.\d+", str(job.get("runs-on"))):
            yield f"{name}: {job.get('runs-on')}"


RULES: tuple[Rule, ...] = (
    steps_are_make_targets,
    nothing_is_pasted_into_a_shell,
    inputs_are_looked_at_first,
    actions_are_pinned,
    nothing_is_allowed_by_default,
    writing_is_the_exception,
    jobs_end,
    strangers_start_nothing_that_is_trusted,
    checkouts_keep_no_token,
    secrets_are_given_to_one_step,
    runners_have_a_version,
)


def _document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _triggers(text: str) -> Any:
    return yaml.safe_load(re.sub(r"^on:", "triggers:", text, flags=re.MULTILINE))["triggers"]


def _steps(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in _document(text)["jobs"].items():
        yield from ((name, step) for step in job.get("steps", ()))
