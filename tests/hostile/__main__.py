"""Fuzzing in full: `python -m tests.hostile --requests 100000 [--seed N]`. The short form is a test."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hostile.fuzz import fuzz
from tests.hostile.target import target


def main(arguments: list[str]) -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20260102)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, target(Path(folder)) as service:
        report = fuzz(
            service,
            requests=options.requests,
            first_seed=options.seed,
            tell=lambda text: print(text, flush=True),
        )
    print(report)
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
