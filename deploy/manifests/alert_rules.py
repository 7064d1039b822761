"""The alert rules of an overlay as Prometheus reads them, judged by Prometheus' own tool."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from deploy.binaries import ensure
from deploy.errors import DeliveryError
from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import Manifest, documents

TESTS = ROOT / "tests" / "manifests" / "rules"
FILE = "slipway.rules.yaml"  # what the tests name in `rule_files`
LIMIT_SECONDS = 120


def rule_file(manifests: Iterable[Manifest]) -> str:
    """The groups of every PrometheusRule."""
    groups = [
        group
        for manifest in manifests
        if manifest.identity.kind == "PrometheusRule"
        for group in manifest.body["spec"]["groups"]
    ]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000)


def judge(rules: str, tests: Path = TESTS, *, named: str = "*.test.yaml") -> str:
    """What promtool says of the rules and of their tests of some name. Raises DeliveryError when it finds something."""
    with tempfile.TemporaryDirectory(prefix="slipway-rules-") as folder:
        place = Path(folder)
        (place / FILE).write_text(rules, encoding="utf-8")
        for test in tests.glob(named):
            shutil.copy(test, place)
        names = sorted(path.name for path in place.glob("*.test.yaml"))
        return _promtool(["check", "rules", FILE], place) + _promtool(["test", "rules", *names], place)


def _promtool(arguments: list[str], folder: Path) -> str:
    command = [str(ensure("promtool")), *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    if done.returncode:
        raise DeliveryError(f"promtool {' '.join(arguments[:2])}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def covered(tests: Path = TESTS) -> dict[str, set[bool]]:
    """By alert, whether there is a case in which it fires (True) and one in which it keeps quiet (False)."""
    found: dict[str, set[bool]] = {}
    for path in sorted(tests.glob("*.test.yaml")):
        document: dict[str, Any] = documents(path.read_text(encoding="utf-8"))[0]
        for test in document["tests"]:
            for case in test.get("alert_rule_test", ()):
                found.setdefault(case["alertname"], set()).add(bool(case.get("exp_alerts")))
    return found
