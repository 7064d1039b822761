"""`history`: who moved which alias of a model, when and why."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from records.ledger import LedgerEntry

HELP = "print who moved what, when and why"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--verbose", action="store_true", help="with every gate, and what the replay found")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from records.ledger import history
    from training.promotion.ledger_session import open_ledger

    with open_ledger(settings.database_url) as ledger:
        entries = history(ledger, definition.name)
    lines = [line for entry in entries for line in lines_of(entry, verbose=arguments.verbose)]
    return "\n".join([f"{len(entries)} moves, newest first", *lines])


def lines_of(entry: LedgerEntry, *, verbose: bool) -> list[str]:
    """The move, and with `verbose` every gate, what was noted, and what the replay found."""
    report = entry.report or {}
    replayed = report.get("replay", {}).get("sentence")
    left_out = "  (without replay)" if report.get("replay", {}).get("left_out") else ""
    line = (
        f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.action:<8}  {entry.alias:<10}  "
        f"{entry.from_version or '-':>4} -> {entry.to_version or '-':<4}  {entry.actor}  {entry.reason}"
    )
    found = [gate["sentence"] for gate in report.get("gates", ())] + list(report.get("notes", ()))
    details = [*found, *([replayed] if replayed else [])] if verbose else []
    return [f"{line.rstrip()}{left_out}", *(f"      {detail}" for detail in details)]
