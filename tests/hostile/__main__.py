"""Fuzzing in full: `python -m tests.hostile --requests 100000 [--seed N]`. The short form is a test."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.front_service import CATALOG
from tests.hostile.fuzz import fuzz
from tests.hostile.readers import READERS, break_readers
from tests.hostile.target import MODELS, target


def main(arguments: list[str]) -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20260102)
    parser.add_argument(
        "--readers", type=int, default=0, help="so many bodies for the readers, in this process"
    )
    options = parser.parse_args(arguments)
    if options.readers:
        return _readers(options.readers, options.seed)
    with tempfile.TemporaryDirectory() as folder, target(Path(folder)) as service:
        report = fuzz(
            service,
            requests=options.requests,
            first_seed=options.seed,
            tell=lambda text: print(text, flush=True),
        )
    print(report)
    return int(bool(report.faults))


def _readers(bodies: int, seed: int) -> int:
    """Raises what a reader raised."""
    read, each = 0, bodies // (len(MODELS) * READERS) + 1
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            read += break_readers(CATALOG[name], Path(folder), examples=each, first_seed=seed)
            print(f"{read} bodies were read or refused", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
