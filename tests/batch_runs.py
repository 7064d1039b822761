"""A batch in a process of its own that starts quickly, so that a test can kill it at ten points and still be short."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.context import ForkServerProcess
from pathlib import Path

LOADED_ONCE = ["training.cli", "training.batch.job", "training.commands.batch", "tqdm", "tests.batch_runs"]


def start_batch(arguments: Sequence[str], log: Path) -> ForkServerProcess:
    """`python -m training batch …`, forked from a process that has imported it and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED_ONCE)
    process = context.Process(target=_batch, args=(["batch", *arguments], log), daemon=True)
    process.start()
    return process


def _batch(arguments: list[str], log: Path) -> None:
    from training.cli import main

    with log.open("a") as said, redirect_stdout(said), redirect_stderr(said):
        code = main(arguments)
    sys.exit(code)
