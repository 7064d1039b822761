"""The commands of `python -m monitoring`: what each takes, and the report that it makes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from monitoring.ab import AbQuestion, ab_report
from monitoring.ab_text import ab_text
from monitoring.chosen_arms import Versions
from monitoring.errors import Misused
from monitoring.settings import MonitoringSettings
from monitoring.shadow import ShadowQuestion, shadow_report
from monitoring.shadow_text import shadow_text
from monitoring.since import span
from records.arms import Period
from records.database_option import add_database_options


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
        wanted=_named(options),
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
        versions=_named(options),
        worst=options.worst,
    )
    report = shadow_report(engine, question)
    return msgspec.json.encode(report).decode() if options.json else shadow_text(report)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--since", type=span, default=span("24h"), metavar="24h", help="how far to look back")
    parser.add_argument("--production", metavar="VERSION", help="by default the last that was it")
    parser.add_argument("--challenger", metavar="VERSION", help="by default the last that was it")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_database_options(parser)


def _named(options: argparse.Namespace) -> Versions:
    return Versions(options.production or "", options.challenger or "")


COMMANDS = {
    "ab-report": Command("compare two versions that answered different callers", _add_ab, _ab),
    "shadow-report": Command(
        "compare what was answered with what the challenger would have said", _add_shadow, _shadow
    ),
}
