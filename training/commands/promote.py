"""`promote`: judge a version by its gates and by a replay of logged requests, and move an alias to it."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelkit.definition import ModelDefinition
from records.actor import actor_of, add_actor
from training.real_data import add_real_data, insists_on_real_data
from training.settings import TrainingSettings

HELP = "judge the candidate (or a version) by its gates and move an alias to it"
MODELS = "many"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="kept in the ledger")
    add_actor(parser)
    parser.add_argument("--version", default=None, help="the candidate by default")
    parser.add_argument("--again", action="store_true", help="with --version: even if it was withdrawn")
    parser.add_argument(
        "--expect", metavar="N", help="refuse (exit code 4) unless the alias is at N; or: none"
    )
    parser.add_argument("--to", default="production", choices=("staging", "challenger", "production"))
    parser.add_argument("--require-staging", action="store_true", help="production only after staging")
    parser.add_argument(
        "--without-replay", action="store_true", help="replay no logged requests; on the record"
    )
    add_real_data(parser)
    parser.add_argument("--dry-run", action="store_true", help="judge and replay only; move nothing")
    parser.add_argument("--report", type=Path, help="with --dry-run: what was found, as JSON, refused or not")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.files import write_json
    from training.promotion.alias_ledger import Move
    from training.promotion.judging import Rules
    from training.promotion.ledger_session import open_ledger, open_log
    from training.promotion.promote import Promoter
    from training.registry import Registry, said_in_one_line

    _refuse_misuse(arguments)
    move = Move(
        alias=arguments.to,
        actor=actor_of(arguments),
        reason=arguments.reason,
        expected=arguments.expect,
    )
    with (
        said_in_one_line(),
        open_ledger(settings.database_url) as ledger,
        open_log(settings.replay_database_url) as log,
    ):
        rules = Rules(
            only_real_data=insists_on_real_data(arguments, settings),
            require_staging=arguments.require_staging or settings.require_staging,
            replay_rows=None if arguments.without_replay else settings.replay_rows,
            log=log,
            reports=Path("reports"),
            signing_key=settings.signing_key,
        )
        registry = Registry(settings.mlflow_tracking_uri)
        promoter = Promoter(definition, registry, ledger, rules)
        if arguments.dry_run:
            found = promoter.rehearse(move, arguments.version, again=arguments.again)
            if arguments.report is not None:
                write_json(arguments.report, found.document(registry))
            return found.sentence()
        return promoter.promote(move, arguments.version, again=arguments.again).sentence(move.alias)


def _refuse_misuse(arguments: argparse.Namespace) -> None:
    from training.errors import Misused

    if len(arguments.models) > 1 and (arguments.version or arguments.expect or arguments.report):
        raise Misused("--version, --expect and --report are about one model; nothing was done")
    if arguments.report and not arguments.dry_run:
        raise Misused(
            "--report goes with --dry-run: a promotion's own report is in the ledger; nothing was done"
        )
    if arguments.again and not arguments.version:
        raise Misused("--again needs --version: say which version that was withdrawn; nothing was done")
