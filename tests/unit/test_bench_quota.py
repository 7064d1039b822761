"""CPU quotas of the bench, written as the kernel reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.bars import half_core_bars
from bench.errors import BenchError
from bench.half_core import CpuQuota


def test_the_first_kind_of_control_groups_takes_microseconds_of_a_period(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    quota = CpuQuota(tmp_path)
    written = quota.folder / "cpu.cfs_quota_us"
    quota.give(0.5)
    assert written.read_text() == "50000"
    quota.give(None)
    assert written.read_text() == "-1"


def test_the_second_kind_takes_them_with_their_period(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory")
    quota = CpuQuota(tmp_path)
    quota.give(0.5)
    assert (quota.folder / "cpu.max").read_text() == "50000 100000"
    quota.give(None)
    assert (quota.folder / "cpu.max").read_text() == "max 100000"


def test_where_there_are_none_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no control group"):
        CpuQuota(tmp_path / "none")


def test_half_a_core_may_make_p99_three_times_as_long() -> None:
    assert [bar.passed for bar in half_core_bars(3.0, 12)] == [True, True]
    assert [bar.passed for bar in half_core_bars(3.1, 13)] == [False, False]
