"""What the documents promise exists: settings, make targets, files and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serving.__main__ import settings_table
from tests.architecture.source_tree import ROOT, files

README = (ROOT / "README.md").read_text()
DOCUMENTS = [path for path in files() if path.suffix == ".md"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_the_table_of_settings_in_the_readme_is_the_one_of_the_code() -> None:
    # When this fails: `python -m serving settings` prints the table that belongs between the two marks.
    written = README.split("<!-- settings -->")[1].split("<!-- /settings -->")[0]
    assert written.strip() == settings_table().strip()


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_make_target_that_a_document_names_exists(path: Path) -> None:
    text = (ROOT / path).read_text()
    code = "\n".join(re.findall(r"```.*?```|`[^`]+`", text, flags=re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?!=)", code)) - TARGETS == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_inside_the_project_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / path).read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (ROOT / path.parent / target).exists()] == []


def test_every_target_says_what_it_does() -> None:
    rules = re.findall(r"^([a-z-]+):(?!=)(.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert [name for name, rest in rules if "## " not in rest] == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    pages = [
        path.name for path in files() if path.parts[:2] == ("docs", "decisions") and path.name != "README.md"
    ]
    assert [page for page in pages if f"({page})" not in index] == []
