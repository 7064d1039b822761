"""The load generator: wrk, on a core of its own, with bodies that repeat (cache hits) or never do (misses)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.errors import BenchError

SCRIPT = Path(__file__).with_name("wrk.lua")
MARK = "BENCH "
PATIENCE_SECONDS = 60


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What wrk saw. `status_errors` are answers that are not 2xx or 3xx."""

    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    status_errors: int
    socket_errors: int

    @property
    def requests_per_second(self) -> float:
        return self.requests / (self.duration_us / 1e6)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where requests go. `template` marks what varies (see wrk.lua); without marks every body is the same.

    With `pause_ms` each connection waits between two requests, so that a server need not be at its limit.
    """

    port: int
    path: str
    headers: Mapping[str, str]
    template: str
    pause_ms: int = 0


def ensure_wrk() -> str:
    """The path of wrk. Installs Debian's package where that is allowed."""
    if found := shutil.which("wrk"):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing wrk with apt-get", flush=True)
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "wrk"], capture_output=True, check=False)
    if found := shutil.which("wrk"):
        return found
    raise BenchError("wrk was not found: install it with `sudo apt-get install wrk`")


def run_wrk(target: Target, *, connections: int, seconds: float, first: int, core: int) -> LoadResult:
    """One round of load. `first` is the counter that the bodies start with: rounds with misses must not overlap."""
    with tempfile.TemporaryDirectory() as scratch:
        head, template = Path(scratch) / "head", Path(scratch) / "template"
        head.write_bytes(request_head(target).encode())
        template.write_bytes(target.template.encode())
        command = [
            "taskset",
            "-c",
            str(core),
            ensure_wrk(),
            "-t1",
            f"-c{connections}",
            f"-d{round(seconds)}s",
        ]
        command += [f"--timeout={PATIENCE_SECONDS}s", "-s", str(SCRIPT), f"http://127.0.0.1:{target.port}"]
        command += ["--", str(head), str(template), str(first), str(target.pause_ms)]
        limit = seconds + PATIENCE_SECONDS
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    if done.returncode != 0:
        raise BenchError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return parse_wrk(done.stdout)


def request_head(target: Target) -> str:
    """The request up to its Content-Length, as HTTP/1.1 writes it."""
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: 127.0.0.1:{target.port}",
        "Content-Type: application/json",
    ]
    lines += [f"{name}: {value}" for name, value in target.headers.items()]
    return "\r\n".join(lines) + "\r\n"


def parse_wrk(output: str) -> LoadResult:
    """The line that wrk.lua writes after a run."""
    for line in output.splitlines():
        if line.startswith(MARK):
            return msgspec.convert(json.loads(line.removeprefix(MARK)), LoadResult)
    raise BenchError(f"wrk wrote no result:\n{output.strip()[-2000:]}")
