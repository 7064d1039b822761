"""What the registry commands do and say; imported only by those, because MLflow takes seconds to import."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from records.engine import open_engine
from records.ledger import history
from records.migrate import upgrade
from training.alias_ledger import Move
from training.layout import Layout
from training.promote import Moved, Promoter
from training.registration import register
from training.registry import Registry, said_in_one_line
from training.settings import TrainingSettings
from training.version import PRODUCTION


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    """What the command did, for the terminal."""
    with said_in_one_line():
        return _run(arguments, definition, settings)


def _run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    registry = Registry(settings.mlflow_tracking_uri)
    if arguments.command == "register":
        version = register(definition, Layout(model=definition.name), registry)
        return f"{version.registry_name} version {version.number} is the candidate"
    if arguments.command == "status":
        return _status(definition, registry)
    with _ledger(settings) as ledger:
        if arguments.command == "history":
            return _history(definition, ledger)
        promoter = Promoter(definition, registry, ledger)
        if arguments.command == "rollback":
            return _said(promoter.rollback(_move(arguments, PRODUCTION)), PRODUCTION)
        moved = promoter.promote(_move(arguments, arguments.to), arguments.version)
        return _said(moved, arguments.to)


@contextmanager
def _ledger(settings: TrainingSettings) -> Iterator[Engine]:
    upgrade(settings.database_url)
    engine = open_engine(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _move(arguments: argparse.Namespace, alias: str) -> Move:
    return Move(alias=alias, actor=arguments.actor or getpass.getuser(), reason=arguments.reason)


def _said(moved: Moved, alias: str) -> str:
    before = f"version {moved.before.number}" if moved.before else "none"
    lines = [f"  {result.sentence()}" for result in moved.results]
    return "\n".join([f"{alias} is now version {moved.after.number} (before: {before})", *lines])


def _history(definition: ModelDefinition, ledger: Engine) -> str:
    lines = [
        f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.action:<8}  {entry.alias:<10}  "
        f"{entry.from_version or '-':>4} -> {entry.to_version or '-':<4}  {entry.actor}  {entry.reason}".rstrip()
        for entry in history(ledger, definition.name)
    ]
    return "\n".join([f"{len(lines)} moves, newest first", *lines])


def _status(definition: ModelDefinition, registry: Registry) -> str:
    versions = registry.versions(definition.registry_name)
    lines = [
        f"  {version.number:>4}  {'approved' if version.approved else '-':<8}  "
        f"{(version.digest or '-')[:19]}  {', '.join(version.aliases)}".rstrip()
        for version in versions
    ]
    return "\n".join([f"{definition.registry_name}, {len(versions)} versions", *lines])
