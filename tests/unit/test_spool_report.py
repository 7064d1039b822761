"""What a person is shown of the spool."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.spool import frame
from serving.spool_report import print_spool, spool_lines
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


def ran(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving", "spool", name]
    variables = {"PATH": os.environ["PATH"], "SLIPWAY_ENV": "dev", **environment}
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_command_prints_what_can_be_read_of_a_damaged_segment(tmp_path: Path) -> None:
    (tmp_path / "w-00000002-2.corrupt").write_bytes(frame(payloads("p-3")[0]) + b"\xff" * 40)
    printed = ran("w-00000002-2.corrupt", SPOOL_DIR=str(tmp_path))
    assert (printed.returncode, printed.stderr, printed.stdout.count("\n")) == (0, "", 1)
    assert '"prediction_id":"p-3"' in printed.stdout


def test_the_command_says_which_setting_is_wrong(tmp_path: Path) -> None:
    refused = ran("", SPOOL_DIR=str(tmp_path), SPOOL_DURABILITY="perhaps")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("SPOOL_DURABILITY: ")
    assert "Traceback" not in refused.stderr


def test_a_segment_that_is_not_there_or_none_at_all_is_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-folder").mkdir()
    found = [print_spool(folder, name) for folder, name in ((tmp_path, "w-1.sealed"), (tmp_path, "a-folder"))]
    assert [*found, print_spool(tmp_path / "elsewhere", "")] == [1, 1, 1]
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "No such file or directory",
        "Is a directory",
        "No such file or directory",
    ]


def test_only_what_is_in_the_spool_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w-00000001-1.sealed").write_bytes(frame(payloads("p-1")[0]))
    assert print_spool(tmp_path / "elsewhere", "../w-00000001-1.sealed") == 1
    assert print_spool(tmp_path, str(tmp_path / "w-00000001-1.sealed")) == 0
    assert capsys.readouterr().out.count("p-1") == 1


def test_what_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "w-00000001-1.sealed").write_bytes(frame(payloads("p-1")[0]))
    _, unreadable, sealed = spool_lines(tmp_path)
    assert unreadable.split() == ["a-folder", "Is", "a", "directory"]
    assert sealed.startswith("w-00000001-1.sealed")
