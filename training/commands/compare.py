"""`compare`: all models side by side, in the terminal and as pages to keep."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.settings import TrainingSettings

HELP = "compare the trained models, in the terminal and as reports/comparison.md and .html"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("reports"), metavar="DIR", help="reports by default")


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from modelkit.definition import load_catalog
    from training.errors import NotTrained
    from training.evaluation.comparison import as_html, as_markdown, as_text, compare_runs
    from training.evaluation.run_facts import read_run
    from training.layout import Layout

    runs, missing = [], []
    for name, model in load_catalog(settings.catalog).items():
        try:
            runs.append(read_run(model, Layout(model=name).servable))
        except NotTrained:
            missing.append(name)
    comparison = compare_runs(runs, missing)
    arguments.out.mkdir(parents=True, exist_ok=True)
    page = arguments.out / "comparison.md"
    page.write_text(as_markdown(comparison))
    page.with_suffix(".html").write_text(as_html(comparison))
    lines = (f"  {line}" for line in as_text(comparison))
    return "\n".join([f"{len(runs)} models, written to {page} and {page.with_suffix('.html').name}", *lines])
