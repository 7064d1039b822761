"""`retrain`: new data or a drift signal, all stages, gates, and the alias `candidate`; made for a CronJob.

Exit codes: 0 a candidate is ready or there is nothing new, 3 the new version failed its gates, 75 another retraining of
the model is at work, 4 somebody else moved the candidate meanwhile, 2 arguments without sense, 1 anything else.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelkit.definition import ModelDefinition
from records.actor import actor_of, add_actor
from training.settings import TrainingSettings

HELP = "retrain on the newest data; what passes its gates becomes the candidate (exit codes: 0, 3 refused, 75 busy)"
MODELS = "one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="kept in the ledger and in the report")
    add_actor(parser)
    parser.add_argument("--drift-report", type=Path, default=None, help="JSON of columns and their PSI")
    parser.add_argument(
        "--if-drift", action="store_true", help="only if a column drifted or raw files changed"
    )
    parser.add_argument(
        "--without-replay", action="store_true", help="replay no logged requests; on the record"
    )


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.layout import Layout
    from training.params import read_params
    from training.promotion.judging import Rules
    from training.promotion.ledger_session import open_ledger, open_log
    from training.registry import Registry, said_in_one_line
    from training.retraining.drift_signal import read_drift
    from training.retraining.pipeline_run import DvcPipeline
    from training.retraining.retrain import Order, Retraining
    from training.settings import stage_environment

    drift = arguments.drift_report and read_drift(arguments.drift_report, settings.drift_psi)
    order = Order(
        actor=actor_of(arguments),
        reason=arguments.reason,
        drift=drift,
        only_if_drift=arguments.if_drift,
    )
    layout = Layout(model=definition.name)
    pipeline = DvcPipeline(definition, layout, settings.slipway_raw_dir, stage_environment())
    with (
        said_in_one_line(),
        open_ledger(settings.database_url) as ledger,
        open_log(settings.replay_database_url) as log,
    ):
        replay_rows = None if arguments.without_replay else settings.replay_rows
        rules = Rules(replay_rows=replay_rows, log=log, reports=Path("reports"))
        registry = Registry(settings.mlflow_tracking_uri)
        retraining = Retraining(definition, registry, ledger, pipeline, rules=rules)
        return retraining.run(order, read_params(definition.name), layout)
