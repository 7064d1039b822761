"""Exploration scripts become executed notebooks: equal runs are equal files, without bulk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat

from training.notebooks import FOLDER, MAX_TEXT, SETTING

ROOT = Path(__file__).parents[2]
SCRIPT = '''"""A look at nothing."""

# %% [markdown]
# # A title
# and a sentence

# %%
print("x" * 100_000)

# %%
RAW.name, 6 * 7
'''


def execute(script: Path) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], "HOME": str(script.parent), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "training", "notebooks", script.name]
    return subprocess.run(
        command,
        cwd=script.parent,
        env={**variables, "SLIPWAY_RAW_DIR": "elsewhere/raw"},
        capture_output=True,
        text=True,
    )


def test_a_script_becomes_an_executed_notebook_twice_the_same(tmp_path: Path) -> None:
    script = tmp_path / "look.py"
    script.write_text(SCRIPT)
    said = execute(script)
    assert said.returncode == 0, said.stderr
    page = script.with_suffix(".ipynb")
    first = page.read_bytes()
    setting, title, bulk, answer = nbformat.reads(first.decode(), as_version=4).cells
    assert setting.source == SETTING
    assert title.source == "# A title\nand a sentence"
    assert bulk.outputs[0].text == "x" * MAX_TEXT
    assert answer.outputs[0].data == {"text/plain": "('raw', 42)"}
    execute(script)
    assert page.read_bytes() == first


def test_a_failing_cell_is_one_line(tmp_path: Path) -> None:
    script = tmp_path / "look.py"
    script.write_text(SCRIPT.replace("6 * 7", "1 / 0"))
    done = execute(script)
    assert (done.returncode, script.with_suffix(".ipynb").exists()) == (1, False)
    assert "notebooks: look.py: ZeroDivisionError: division by zero\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_exploration_in_the_repository_is_executed_and_was_made_from_its_script() -> None:
    scripts = sorted((ROOT / FOLDER).glob("*.py"))
    assert len(scripts) == 5
    for script in scripts:
        cells = nbformat.read(script.with_suffix(".ipynb"), as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in code)
        assert all(cell.source in script.read_text() for cell in code[1:])
