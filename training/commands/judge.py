"""`judge`: trained servables against their gates, before any registry is asked."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "load the trained servable as serving will, and apply the gates of its definition"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--warn", action="store_true", help="say what failed, and succeed all the same")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from modelkit.gates import judge
    from training.errors import GatesFailed
    from training.layout import Layout
    from training.local_servable import load_local

    servable = load_local(Layout(model=definition.name).servable, definition)
    results = judge(definition.gates, servable.card.metrics)
    failed = [result.sentence() for result in results if not result.passed]
    if failed and not arguments.warn:
        raise GatesFailed(f"{definition.name} would not be promoted: {'; '.join(failed)}")
    verdict = f"{len(failed)} of {len(results)} gates FAILED" if failed else f"{len(results)} gates passed"
    return "\n".join([verdict, *(f"  {result.sentence()}" for result in results)])
