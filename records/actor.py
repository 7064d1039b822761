"""Who does something that is remembered: the option of a command that asks for it, and what stands in for an answer."""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Callable


def add_actor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--actor", default=None, help="who does it; the login name by default")


def actor_of(arguments: argparse.Namespace, *, login: Callable[[], str] = getpass.getuser) -> str:
    """A container's user often has a number and no name."""
    if arguments.actor:
        return str(arguments.actor)
    try:
        return login()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
