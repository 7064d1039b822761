"""`align`: the registry's aliases follow the versions that a file in Git names, or are only compared with them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from records.actor import actor_of, add_actor
from training.errors import Misused, RecordDiffers
from training.real_data import add_real_data, insists_on_real_data
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from training.promotion.record import Standpoint

HELP = "move an alias of each model to the version that a file in Git names; with --check only compare"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="models.env of an overlay: a line model=version per model")
    parser.add_argument("--to", default="production", choices=("staging", "production"))
    parser.add_argument("--check", action="store_true", help="move nothing; exit code 4 where the two differ")
    parser.add_argument(
        "--since",
        metavar="COMMIT",
        help="expect the aliases to be where the file said at this commit (exit code 4)",
    )
    parser.add_argument("--reason", default="", help="kept in the ledger; the commit is named anyway")
    add_actor(parser)
    add_real_data(parser)


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from modelkit.definition import load_catalog
    from training.promotion.ledger_session import open_ledger
    from training.promotion.record import GitRecord, read_record
    from training.registry import Registry, said_in_one_line

    if arguments.check and arguments.since:
        raise Misused("--check compares with what the file says now, not with --since")
    wanted, catalog = read_record(arguments.file.read_text(), arguments.file), load_catalog(settings.catalog)
    with said_in_one_line(), open_ledger(settings.database_url) as ledger:
        registry = Registry(settings.mlflow_tracking_uri)
        found = GitRecord(wanted, arguments.to, registry, ledger).standpoints(catalog)
        if arguments.check:
            return _compared(found)
        return "\n".join(["aliases follow Git", *_moved(arguments, settings, wanted, ledger)])


def _compared(found: list[Standpoint]) -> str:
    """Raises RecordDiffers, which says how each way of differing is ended."""
    from training.promotion.record import WAYS_OUT, Standing

    said = "".join(f"\n  {each.sentence()}" for each in found)
    differing = sorted({each.standing for each in found} - {Standing.SAME}, key=lambda each: each.value)
    if not differing:
        return f"Git and the registry agree{said or ': the file names no model'}"
    ways_out = "".join(f"\n{each.value}: {WAYS_OUT[each]}" for each in differing)
    raise RecordDiffers(f"Git and the registry differ{said}{ways_out}")


def _moved(
    arguments: argparse.Namespace, settings: TrainingSettings, wanted: dict[str, str], ledger: Engine
) -> list[str]:
    """Model after model; a refusal stops none of the others. What was moved stays moved, and is in the ledger."""
    from modelkit.definition import load_catalog
    from training.promotion.following import Follower, wishes
    from training.promotion.judging import Rules
    from training.promotion.ledger_session import open_log
    from training.registry import Registry
    from training.source import git_sha

    catalog = load_catalog(settings.catalog)
    with open_log(settings.replay_database_url) as log:
        rules = Rules(
            only_real_data=insists_on_real_data(arguments, settings),
            require_staging=settings.require_staging,
            replay_rows=settings.replay_rows,
            log=log,
            reports=Path("reports"),
            signing_key=settings.signing_key,
        )
        reason = f"{git_sha()[:12]} {arguments.file}: {arguments.reason}".rstrip(": ")
        registry = Registry(settings.mlflow_tracking_uri)
        follower = Follower(registry, ledger, rules, actor=actor_of(arguments), reason=reason)
        asked = wishes(wanted, _earlier(arguments))
        return follower.follow_all(catalog, arguments.to, asked)


def _earlier(arguments: argparse.Namespace) -> dict[str, str] | None:
    from training.promotion.record import read_record
    from training.source import text_at

    if not arguments.since:
        return None
    return read_record(text_at(arguments.since, arguments.file), f"{arguments.since}:{arguments.file}")
