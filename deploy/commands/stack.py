"""The whole stack on this machine by compose.yaml: service, agent, PostgreSQL, Redis, and MLflow where it is asked for."""

from __future__ import annotations

import argparse

HELP = "start and stop the whole stack on this machine (compose.yaml)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("up", "down"))
    parser.add_argument("--profile", action="append", default=[], help="such as `registry`, for MLflow")
    parser.add_argument("--volumes", action="store_true", help="with down: remove the data, too")


def run(options: argparse.Namespace) -> int:
    from deploy.image.actions import PROJECT
    from deploy.image.engine import needed_engine
    from deploy.image.settings import ImageSettings
    from deploy.image.stack import Stack

    settings = ImageSettings()
    stack = Stack(PROJECT, settings, needed_engine(settings.backend))
    print(stack.up(options.profile) if options.action == "up" else stack.down(volumes=options.volumes))
    return 0
