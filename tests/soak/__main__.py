"""The soak: `python -m tests.soak [--minutes 60] [--workers 1] [--rate 0]`, which `make soak` calls, with its report.

Ends with 1 when a bar is missed. Under half an hour the slope of memory says nothing: then what was gained is judged.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tests.soak.judging import judge
from tests.soak.report import page
from tests.soak.running import Course, soak


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    course = Course(minutes=options.minutes, workers=options.workers, rate=options.rate)
    soaked = soak(course, lambda text: print(text, flush=True))
    verdicts = judge(soaked.moments, soaked.asked, minutes=course.minutes)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(page(soaked, verdicts))
    for verdict in verdicts:
        print(f"  {'holds ' if verdict.holds else 'MISSED'} {verdict.bar}: {verdict.seen}")
    print(f"the report is {options.report}")
    return int(any(not verdict.holds for verdict in verdicts))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0, help="requests a second; 0: 60 %% of the peak")
    parser.add_argument("--report", type=Path, default=ROOT / "reports" / "soak.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
