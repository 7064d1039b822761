"""The bench leaves no process behind, and pins what it starts."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.proc import read_stat
from bench.servers import Launch, RunningServer

WITH_A_STUBBORN_CHILD = """
import os, signal, subprocess, sys, time
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"])
    time.sleep(600)
os.setsid()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn", flush=True)
time.sleep(600)
"""


def launch(folder: Path, code: str) -> Launch:
    program = folder / "program.py"
    program.write_text(code)
    return Launch(
        name="program",
        command=[sys.executable, str(program)],
        environment={"PATH": os.environ["PATH"]},
        folder=folder,
        log=folder / "logs" / "program.log",
        core=min(os.sched_getaffinity(0)),
    )


def wait_for_text(server: RunningServer, text: str) -> None:
    while text not in server.log_tail():
        server.check_alive()
        time.sleep(0.01)


def test_a_child_that_ignores_the_signal_in_a_session_of_its_own_is_ended_too(tmp_path: Path) -> None:
    with RunningServer(launch(tmp_path, WITH_A_STUBBORN_CHILD), patience_seconds=0.3) as server:
        wait_for_text(server, "stubborn")
        processes = list(server.tree())
    assert len(processes) == 2
    stats = [read_stat(pid) for pid in processes]
    assert all(stat is None or stat.zombie for stat in stats)


def test_the_whole_tree_runs_on_the_core_that_was_asked_for(tmp_path: Path) -> None:
    start = launch(tmp_path, WITH_A_STUBBORN_CHILD)
    with RunningServer(start, patience_seconds=0.3) as server:
        wait_for_text(server, "stubborn")
        assert {frozenset(os.sched_getaffinity(pid)) for pid in server.tree()} == {frozenset({start.core})}


def test_a_server_that_ended_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    with RunningServer(launch(tmp_path, "raise SystemExit('port taken')")) as server:
        server.process.wait()
        with pytest.raises(BenchError, match="exit code 1:\nport taken"):
            server.check_alive()


def test_nothing_is_inherited_from_the_environment(tmp_path: Path) -> None:
    code = "import os, time; print(sorted(os.environ)); print('done', flush=True); time.sleep(600)"
    with RunningServer(launch(tmp_path, code)) as server:
        wait_for_text(server, "done")
        assert "HOME" not in server.log_tail()
