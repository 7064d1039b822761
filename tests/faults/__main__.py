"""The fault suite in full: `python -m tests.faults [--seconds 60] [--only NAME] [--kills 200]`, with its report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tests.faults.registry import SCENARIOS
from tests.faults.report import page
from tests.faults.running import AtHalfLoad, Stands, one_after_another
from tests.faults.scenario import Finding


def main(arguments: list[str]) -> int:
    """0 when every bar holds, 1 when one does not, 2 when no scenario has such a name."""
    options = _options(arguments)
    chosen = [each for each in SCENARIOS if options.only in each.name]
    if not chosen:
        print(f"no scenario is called {options.only}: {', '.join(each.name for each in SCENARIOS)}")
        return 2
    options.report.parent.mkdir(parents=True, exist_ok=True)
    with Stands() as stands:
        run = AtHalfLoad(stands, seconds=options.seconds, rate=options.rate, kills=options.kills, tell=_tell)

        def write(findings: Sequence[Finding]) -> None:
            options.report.write_text(page(chosen, findings, judged=True, load=run.load))

        findings = one_after_another(chosen, run, write=write, tell=_tell)
    print(f"the report is {options.report}")
    return int(any(finding.broken(judged=True) for finding in findings))


def _tell(text: str) -> None:
    print(text, flush=True)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long each fault lasts")
    parser.add_argument("--only", default="", help="part of the names of the scenarios to run")
    parser.add_argument("--rate", type=float, default=0, help="requests a second; 0: half of the peak")
    parser.add_argument("--kills", type=int, default=200, help="how often something is killed")
    parser.add_argument("--report", type=Path, default=ROOT / "reports" / "faults.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
