"""A workflow is what a laptop can do too, with the least power, started by nobody it should not trust."""

from __future__ import annotations

import fnmatch
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from deploy.image.building import TRAINING_SUFFIX
from tests.architecture import workflow_rules as rules
from tests.architecture.source_tree import ROOT, files

WORKFLOWS = [path for path in files() if path.parts[:2] == (".github", "workflows")]
ZIZMOR = ROOT / ".venv-checks/bin/zizmor"
ONE = (ROOT / ".github/workflows/deploy.yaml").read_text()
MUTANTS = {
    "a step of its own": (rules.steps_are_make_targets, "run: make deploy-pr", "run: python -m deploy"),
    "a target that is not there": (
        rules.steps_are_make_targets,
        "run: make deploy-pr",
        "run: make deploy-now",
    ),
    "a second command": (
        rules.steps_are_make_targets,
        "run: make deploy-pr",
        "run: make deploy-pr && curl x",
    ),
    "an input in the command": (
        rules.nothing_is_pasted_into_a_shell,
        "run: make deploy-pr",
        "run: make deploy-pr DIGEST=${{ inputs.digest }}",
    ),
    "an input that nobody looks at": (
        rules.inputs_are_looked_at_first,
        "run: make deploy-pr",
        "run: make push",
    ),
    "a tag for an action": (rules.actions_are_pinned, r"checkout@\w+", "checkout@v7"),
    "a hash without its version": (rules.actions_are_pinned, r" # v7.0.1", ""),
    "the default permissions": (rules.nothing_is_allowed_by_default, r"\npermissions: \{\}\n", "\n"),
    "a job with the defaults": (rules.nothing_is_allowed_by_default, r"    permissions:\n(      .*\n)+", ""),
    "a writer": (rules.writing_is_the_exception, "  propose:", "  build:"),
    "everything": (rules.writing_is_the_exception, "pull-requests: write.*", "actions: write"),
    "no end": (rules.jobs_end, "timeout-minutes: 20", "continue-on-error: true"),
    "two at once": (rules.jobs_end, r"concurrency:\n(  .*\n)+", ""),
    "a stranger's pull request": (
        rules.strangers_start_nothing_that_is_trusted,
        "workflow_dispatch:",
        "pull_request_target:",
    ),
    "a token left in the clone": (rules.checkouts_keep_no_token, "persist-credentials: false", "clean: true"),
    "a secret for every step": (
        rules.secrets_are_given_to_one_step,
        "GIT_AUTHOR_NAME: slipway",
        "GH_TOKEN: ${{ secrets.PROMOTION_TOKEN }}",
    ),
    "any runner": (rules.runners_have_a_version, "ubuntu-24.04", "ubuntu-latest"),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_keeps_the_rule(path: Path, rule: rules.Rule) -> None:
    assert list(rule((ROOT / path).read_text())) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_the_rule_notices(name: str) -> None:
    rule, found, instead = MUTANTS[name]
    mutant = re.sub(found, instead.replace("\\", r"\\"), ONE, count=1)
    assert mutant != ONE
    assert list(rule(mutant))


def test_every_rule_has_a_mutant() -> None:
    assert {rule for rule, _, _ in MUTANTS.values()} == set(rules.RULES)


def test_an_action_has_one_version_everywhere() -> None:
    versions = defaultdict(set)
    for path in WORKFLOWS:
        for action, pin in re.findall(r"uses: ([\w./-]+)@(\w+ # \S+)", (ROOT / path).read_text()):
            versions["/".join(action.split("/")[:2])].add(pin)
    assert {action: pins for action, pins in versions.items() if len(pins) > 1} == {}


@pytest.mark.parametrize(
    ("job", "suffix", "steps"),
    [
        ("image", "", "image image-size image-sbom image-test released sign"),
        ("training-image", TRAINING_SUFFIX, "training-image image-sbom training-image-test released sign"),
    ],
)
def test_what_is_pushed_is_what_was_built_listed_and_tried(job: str, suffix: str, steps: str) -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())["jobs"][job]
    given = release["env"]
    assert given["IMAGE"] == f"{given['IMAGE_NAME']}{suffix}:{given['IMAGE_TAG']}"
    made = [
        step
        for step in release["steps"]
        if str(step.get("run", "make registry-login")) != "make registry-login"
    ]
    assert [step["run"].split()[1] for step in made] == steps.split()
    assert [step["run"] for step in made if "IMAGE" in step.get("env", {})] == ["make sign"]
    assert made[-1]["env"]["IMAGE"] == "${{ steps.push.outputs.image }}"


def test_zizmor_has_no_finding() -> None:
    command = [str(ZIZMOR), "--offline", "--quiet", "--no-progress", "--persona", "pedantic", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_grants_power_is_approved_by_the_platform_team() -> None:
    granting = re.compile(
        r"^kind: (Cluster)?Role(Binding)?$|^kind: (ServiceAccount|NetworkPolicy|AppProject)$", re.M
    )
    powerful = [
        path
        for path in files()
        if path.suffix in {".yaml", ".yml"}
        and path.parts[0] in {"kustomize", "argocd", "k8s"}
        and granting.search((ROOT / path).read_text())
    ]
    assert powerful
    wanted = [*powerful, *WORKFLOWS, Path("deploy/binaries.py")]
    assert [str(path) for path in wanted if "@example/platform" not in owners_of(path)] == []


def owners_of(path: Path) -> list[str]:
    """The last line of CODEOWNERS that matches, as the forge reads it."""
    found: list[str] = []
    for line in (ROOT / ".github/CODEOWNERS").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, *owners = line.split()
            wide = pattern.lstrip("/") + ("*" if pattern.endswith("/") else "")
            found = owners if fnmatch.fnmatch(str(path), wide) else found
    return found
