"""`data`: the raw files of a model: those that are given, those that were downloaded, synthetic ones otherwise."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.layout import Layout
from training.settings import TrainingSettings

HELP = "write data/raw: from SLIPWAY_RAW_DIR, from what `download` fetched, or synthetic"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.data.raw_data import take_raw

    layout, insist = Layout(model=definition.name), settings.require_real_data
    raw = take_raw(definition, layout, settings.slipway_raw_dir, insist=insist)
    done = f"wrote {', '.join(raw.written)}" if raw.written else "unchanged"
    return f"{raw.source}, {raw.size_bytes / 1e6:.1f} MB, {done}"
