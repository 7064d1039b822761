"""Exploration notebooks from plain scripts: reviewable as code, readable as executed pages.

A script in the percent format (`# %%` starts a cell, `# %% [markdown]` a text cell) becomes a notebook of the same name.
Outputs are stripped of bulk, so that a repository can hold them: no raw rows by the thousand, no large images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from training.errors import NotebookFailed

FOLDER = Path("docs/notebooks")
SETTING = 'import os\nfrom pathlib import Path\n\nRAW = Path(os.environ["SLIPWAY_RAW_DIR"])'
CELL, TEXT_CELL = "# %%", "# %% [markdown]"
TIMEOUT_SECONDS = 300
MAX_TEXT, MAX_IMAGE = 6_000, 150_000  # characters; an image is counted in base64
KEPT = ("image/png", "text/html", "text/markdown", "text/plain")


def build(script: Path) -> Path:
    """Executes the script as a notebook beside it, with `RAW` as the folder that SLIPWAY_RAW_DIR names.

    Returns the notebook. Raises NotebookFailed for a cell that fails, and for what is no script with cells.
    """
    notebook = nbformat.v4.new_notebook(cells=list(_cells(_source(script))))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SETTING))
    _execute(notebook, script)
    _strip(notebook, script)
    page = script.with_suffix(".ipynb")
    nbformat.write(notebook, page)
    return page


def _source(script: Path) -> str:
    """A notebook handed over by mistake would be replaced by an empty one."""
    if not script.is_file():
        raise NotebookFailed(f"{script} is no file")
    text = script.read_bytes().decode(errors="replace")
    if script.suffix != ".py" or f"\n{CELL}" not in text:
        raise NotebookFailed(f"{script} is no script in the percent format (a .py file with `{CELL}` cells)")
    return text


def _execute(notebook: Any, script: Path) -> None:
    """Over a socket file: no port, and none of the warnings that come with one."""
    kernel = KernelManager(kernel_name="python3", transport="ipc")
    try:
        NotebookClient(notebook, km=kernel, timeout=TIMEOUT_SECONDS).execute()
    except CellExecutionError as error:
        raise NotebookFailed(f"{script}: {error.ename}: {error.evalue.strip().splitlines()[-1]}") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookFailed(f"{script}: {str(error).splitlines()[0]}") from error


def _cells(source: str) -> Iterator[Any]:
    for block in source.split(f"\n{CELL}")[1:]:
        if block.startswith(TEXT_CELL.removeprefix(CELL)):
            lines = block.removeprefix(TEXT_CELL.removeprefix(CELL)).strip().splitlines()
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
            yield nbformat.v4.new_markdown_cell(text)
        else:
            yield nbformat.v4.new_code_cell(block.strip())


def _strip(notebook: Any, script: Path) -> None:
    """Ids by content and no clock, so that a second run with equal outputs is an equal file."""
    for place, cell in enumerate(notebook.cells):
        content = f"{script.name}/{place}/{cell.source}"
        cell.id = hashlib.sha256(content.encode()).hexdigest()[:8]
        cell.metadata = nbformat.NotebookNode()
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_light, cell.outputs) if output is not None]


def _light(output: Any) -> Any:
    if output.output_type == "stream":
        output.text = output.text[:MAX_TEXT]
        return None if output.name == "stderr" else output
    if "data" not in output:
        return output
    limits = {name: MAX_IMAGE if name.startswith("image/") else MAX_TEXT for name in KEPT}
    kept = {name: output.data[name] for name in KEPT if 0 < len(output.data.get(name, "")) <= limits[name]}
    output.data, output.metadata = kept, {}
    return output if kept else None
