"""What a person is shown of the spool."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from serving.spool import frame
from serving.spool_report import spool_lines
from tests.architecture.source_tree import ROOT
from tests.prediction_records import payloads


def test_every_segment_has_a_line_with_its_state_and_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "w-00000001-2.sealed").write_bytes(b"".join(map(frame, payloads("p-1", "p-2"))))
    (tmp_path / "w-00000002-2.corrupt").write_bytes(frame(payloads("p-3")[0]) + b"\xff" * 40)
    (tmp_path / "w-00000003.open").write_bytes(frame(payloads("p-4")[0]))
    _, sealed, damaged, still_open = list(spool_lines(tmp_path))
    assert sealed.split()[1:4] == ["waits", "for", "SQL"]
    assert sealed.split()[5:7] == ["2", "0"]
    assert (damaged.split()[1], damaged.split()[3:5]) == ("damaged", ["1", "1"])
    assert still_open.split()[1:3] == ["being", "written"]


def test_the_command_prints_what_can_be_read_of_a_damaged_segment(tmp_path: Path) -> None:
    (tmp_path / "w-00000002-2.corrupt").write_bytes(frame(payloads("p-3")[0]) + b"\xff" * 40)
    command = [sys.executable, "-m", "serving", "spool", "w-00000002-2.corrupt"]
    environment = {"PATH": os.environ["PATH"], "SLIPWAY_ENV": "dev", "SPOOL_DIR": str(tmp_path)}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.count("\n") == 1
    assert '"prediction_id":"p-3"' in ran.stdout
