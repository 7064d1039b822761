"""The commands of `python -m monitoring`: what each takes, and the report that it makes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from monitoring.ab import AbQuestion, Versions, ab_report
from monitoring.ab_text import ab_text
from monitoring.errors import Misused
from monitoring.settings import MonitoringSettings
from monitoring.shadow import ShadowQuestion, shadow_report
from monitoring.shadow_text import shadow_text
from monitoring.since import span
from records.arms import Period
from records.database_option import add_database_options
from records.ledger import history


class Command(NamedTuple):
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Engine, ModelDefinition, MonitoringSettings], str]


def _add_ab(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument(
        "--weight",
        type=float,
        metavar="PER_CENT",
        help="of callers whom the challenger should answer; by default what AB_WEIGHTS says of the model",
    )


def _ab(
    options: argparse.Namespace, engine: Engine, definition: ModelDefinition, settings: MonitoringSettings
) -> str:
    now = datetime.now(UTC)
    if options.weight is not None and not 0 < options.weight < 100:
        raise Misused("--weight is a share between 0 and 100 per cent")
    question = AbQuestion(
        definition=definition,
        period=Period(model=definition.name, since=now - options.since, until=now),
        expected=_named(options) or _of_the_ledger(engine, definition.name, settings),
        weight=settings.weight_of(definition.name) if options.weight is None else options.weight / 100,
    )
    report = ab_report(engine, question)
    return msgspec.json.encode(report).decode() if options.json else ab_text(report)


def _add_shadow(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="rows to name (20)")


def _shadow(
    options: argparse.Namespace, engine: Engine, definition: ModelDefinition, settings: MonitoringSettings
) -> str:
    if options.worst < 0:
        raise Misused("--worst is a number of rows")
    question = ShadowQuestion(
        definition=definition,
        since=datetime.now(UTC) - options.since,
        versions=Versions(options.production or "", options.challenger or ""),
        worst=options.worst,
    )
    report = shadow_report(engine, question)
    return msgspec.json.encode(report).decode() if options.json else shadow_text(report)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--since", type=span, default=span("24h"), metavar="24h", help="how far to look back")
    parser.add_argument("--production", metavar="VERSION", help="by default the one that is or was it")
    parser.add_argument("--challenger", metavar="VERSION", help="by default the one that is or was it")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_database_options(parser)


def _named(options: argparse.Namespace) -> Versions | None:
    if (options.production is None) != (options.challenger is None):
        raise Misused("--production and --challenger go together")
    return None if options.production is None else Versions(options.production, options.challenger)


def _of_the_ledger(engine: Engine, model: str, settings: MonitoringSettings) -> Versions | None:
    """Who was challenger last, and who was production beside it; None where the ledger knows of none."""
    moves = history(engine, model)
    challengers = [move for move in moves if move.alias == settings.challenger_alias]
    if not challengers:
        return None
    last = challengers[0]
    challenger = last.to_version or last.version
    holders = [move.to_version for move in moves if move.alias == settings.model_alias and move.to_version]
    production = next((version for version in holders if version != challenger), None)
    return None if production is None else Versions(production, challenger)


COMMANDS = {
    "ab-report": Command("compare two versions that answered different callers", _add_ab, _ab),
    "shadow-report": Command(
        "compare what was answered with what the challenger would have said", _add_shadow, _shadow
    ),
}
