"""Where the microseconds of a request go: `python -m bench.flame`, a flame graph and a table of stages.

The process that answers is sampled from outside while it is loaded (py-spy; the service does not know). A sample belongs to the
stage of the innermost frame that names one, so a library's time is the stage's that called it; the share of samples times the
CPU of a request, measured over the same seconds, is the stage's microseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.against import CONNECTIONS, serve_alone
from bench.entrants import AGENT_MARK, Entrant, Round
from bench.errors import BenchError, shown
from bench.fixtures import prepare_fixture
from bench.load import ensure_wrk
from bench.proc import command_line
from bench.results import HITS, MISSES
from bench.servers import end_servers_at_sigterm
from bench.settings import read_settings

RATE = 400
LOOP = "event loop: waiting, reading sockets"
# By the file of a frame, the first that fits; the order tells a part of a stage from what called it.
STAGES = (
    ("serving/request_log/", "lines and spans"),
    ("serving/tracing/", "lines and spans"),
    ("serving/http/telling.py", "lines and spans"),
    ("serving/metrics", "metrics"),
    ("prometheus_client/", "metrics"),
    ("serving/answer_record.py", "prediction log"),
    ("serving/prediction_log.py", "prediction log"),
    ("serving/spool.py", "prediction log"),
    ("serving/adapters/segment_files.py", "prediction log"),
    ("serving/redaction.py", "prediction log"),
    ("modelkit/fingerprint.py", "cache"),
    ("serving/cache.py", "cache"),
    ("serving/finding.py", "cache"),
    ("serving/adapters/", "cache"),
    ("redis/", "cache"),
    ("serving/model_calls.py", "features and model"),
    ("serving/loaded_model.py", "features and model"),
    ("modelkit/runtime.py", "features and model"),
    ("modelkit/columns.py", "features and model"),
    ("/features.py", "features and model"),
    ("serving/http/request_rows.py", "reading the row"),
    ("modelkit/rows.py", "reading the row"),
    ("auth/", "who asks"),
    ("serving/admission.py", "who asks"),
    ("serving/limits/", "who asks"),
    ("serving/overload/", "room for it"),
    ("serving/http/native.py", "use case and answer"),
    ("serving/inference.py", "use case and answer"),
    ("serving/routing.py", "use case and answer"),
    ("serving/predictor.py", "use case and answer"),
    ("serving/coalesce.py", "coalescing"),
    ("serving/http/", "front app"),
    ("serving/identifiers.py", "front app"),
    ("serving/bento.py", "front app"),
    ("serving/connections/", "HTTP/1.1 and sending"),
    ("uvicorn/protocols/", "HTTP/1.1 and sending"),
)
Stack = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """`stacks` are frames from the outermost in, with how often they were seen; `request_us` is a request's CPU."""

    kind: str
    stacks: Counter[Stack]
    request_us: float
    requests_per_second: float


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return shown("bench.flame", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    settings = read_settings()
    end_servers_at_sigterm()
    ensure_wrk()
    os.sched_setaffinity(0, {settings.load_core})
    options.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        entrant = serve_alone(settings, prepare_fixture(settings, options.model), stack)
        for number, kind in enumerate((HITS, MISSES)):
            what = Round(
                kind=kind,
                connections=CONNECTIONS,
                number=number,
                seconds=options.seconds,
                core=settings.load_core,
            )
            found = profile(entrant, what, options.out)
            print("\n".join(table(found)))
    return 0


def profile(entrant: Entrant, what: Round, folder: Path) -> Profile:
    """Samples while the round runs, and again for the picture: py-spy writes one or the other."""
    worker = _worker(entrant)
    raw = folder / f"stacks-{what.kind}.txt"
    with sampling(worker, raw, "raw", what.seconds):
        sample = entrant.run(what)
    with sampling(worker, folder / f"flame-{what.kind}.svg", "flamegraph", what.seconds):
        entrant.run(what)
    return Profile(
        kind=what.kind,
        stacks=read_stacks(raw.read_text().splitlines()),
        request_us=sample.request_cpu_us,
        requests_per_second=sample.requests_per_second,
    )


@contextlib.contextmanager
def sampling(pid: int, out: Path, form: str, seconds: float) -> Iterator[None]:
    """Raises BenchError where py-spy may not look.

    It reads without stopping the process: stopped, every waiting thread looks busy. Some stacks come out without their outer
    frames, which the stages do not need.
    """
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        raise BenchError("py-spy was not found: make setup")
    command = [program, "record", "--pid", str(pid), "--format", form, "--output", str(out)]
    command += ["--rate", str(RATE), "--duration", str(max(1, round(seconds))), "--nonblocking"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as watching:
        try:
            yield
            _, said = watching.communicate(timeout=60)
        except BaseException:
            watching.kill()
            raise
    if watching.returncode:
        raise BenchError(f"py-spy: {said.strip().splitlines()[-1] if said.strip() else 'failed'}")


def read_stacks(lines: Iterable[str]) -> Counter[Stack]:
    """py-spy's raw form: frames with `;` between them, then a space and how often."""
    found: Counter[Stack] = Counter()
    for line in lines:
        frames, _, count = line.rpartition(" ")
        if frames.strip():
            found[tuple(frames.split(";"))] += int(count)
    return found


def stage_of(stack: Stack) -> str:
    for frame in reversed(stack):
        for mark, stage in STAGES:
            if mark in frame:
                return stage
    return LOOP


def table(found: Profile) -> list[str]:
    seen: Counter[str] = Counter()
    for stack, count in found.stacks.items():
        seen[stage_of(stack)] += count
    total = seen.total()
    lines = [
        f"{found.kind}: {found.request_us:.1f} µs of CPU a request, {found.requests_per_second:,.0f} a second, {total:,} samples",
        "",
        "| stage | µs | share |",
        "|---|---:|---:|",
    ]
    for stage, count in seen.most_common():
        lines.append(f"| {stage} | {found.request_us * count / total:.1f} | {100 * count / total:.0f} % |")
    return lines


def _worker(entrant: Entrant) -> int:
    """The process that answers: of those that are no agent, the one that has spent most."""
    tree = entrant.server.tree()
    answering = {pid: stat.cpu_seconds for pid, stat in tree.items() if AGENT_MARK not in command_line(pid)}
    return max(answering, key=lambda pid: answering[pid])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.flame", description=__doc__)
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--out", type=Path, default=Path("reports"), help="folder of stacks and pictures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
