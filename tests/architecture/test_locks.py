"""The committed locks answer pyproject.toml: an offline check, so that a forgotten `make lock` fails at once."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.source_tree import ROOT

GROUPS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
LOCKS = {
    "dev": ["dev"],
    "serving": ["serving", "agent"],
    "training": ["serving", "agent", "training"],
    "tools": ["tools"],
    "checks": ["checks"],
}
DIRECT = re.compile(r"# +(?:via )?slipway \(pyproject\.toml:")


def requirements(group: str) -> list[Requirement]:
    found: list[Requirement] = []
    for item in GROUPS[group]:
        found += [Requirement(item)] if isinstance(item, str) else requirements(item["include-group"])
    return found


def blocks(lock: str) -> dict[str, str]:
    """The text of each package's entry, by name."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    return {canonicalize_name(re.split(r"[=\[]", entry, maxsplit=1)[0]): entry for entry in entries}


def versions(lock: str) -> dict[str, Version]:
    return {name: Version(entry.split("==")[1].split()[0]) for name, entry in blocks(lock).items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_its_groups(lock: str) -> None:
    locked = versions(lock)
    asked = [requirement for group in LOCKS[lock] for requirement in requirements(group)]
    unmet = [str(r) for r in asked if locked.get(canonicalize_name(r.name), Version("0")) not in r.specifier]
    assert unmet == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_nothing_that_its_groups_no_longer_ask_for(lock: str) -> None:
    asked = {canonicalize_name(r.name) for group in LOCKS[lock] for r in requirements(group)}
    assert {name for name, entry in blocks(lock).items() if DIRECT.search(entry)} == asked


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(lock: str) -> None:
    assert all("--hash=sha256:" in entry for entry in blocks(lock).values())
    assert "://" not in (ROOT / "requirements" / f"{lock}.txt").read_text()


@pytest.mark.parametrize("lock", ["serving", "training"])
def test_an_image_runs_the_versions_that_were_tested(lock: str) -> None:
    tested = versions("dev")
    assert {name: tested.get(name) for name in versions(lock)} == versions(lock)


def test_the_project_and_its_version_file_name_the_same_python() -> None:
    assert (ROOT / ".python-version").read_text().strip() == "3.11"
