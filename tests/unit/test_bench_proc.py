"""The bench's readings of /proc."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.proc import (
    TICKS_PER_SECOND,
    command_line,
    parse_pss_bytes,
    parse_stat,
    process_tree,
    pss_bytes,
    read_stat,
)

STAT = (
    "4242 (a (strange) name) S 17 4242 4242 0 -1 4194560 5000 0 0 0 250 50 0 0 20 0 8 0 987654 300000000 25000 "
    "18446744073709551615 1 1 0 0 0 0 0 16781312 16384 0 0 0 17 1 0 0 0 0 0"
)
SMAPS = """\
55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
Rss:              120000 kB
Pss:               98304 kB
Pss_Anon:          80000 kB
"""


def test_a_command_with_parentheses_does_not_shift_the_fields() -> None:
    stat = parse_stat(STAT)
    assert (stat.pid, stat.parent, stat.started) == (4242, 17, 987654)
    assert stat.cpu_seconds == 300 / TICKS_PER_SECOND
    assert not stat.zombie


def test_a_dead_child_that_nobody_waited_for_is_a_zombie() -> None:
    assert parse_stat(STAT.replace(") S ", ") Z ")).zombie


def test_pss_is_read_in_bytes_and_not_taken_from_its_parts() -> None:
    assert parse_pss_bytes(SMAPS) == 98304 * 1024


def test_a_process_that_is_gone_reads_as_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert read_stat(process.pid) is None
    assert pss_bytes(process.pid) == 0
    assert command_line(process.pid) == ""


def test_a_tree_holds_children_of_children() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE) as process:
        try:
            while len(tree := process_tree(process.pid)) < 2:
                assert process.poll() is None
        finally:
            assert process.stdin is not None
            process.stdin.close()
    assert tree[process.pid].parent == os.getpid()
    assert {stat.parent for stat in tree.values()} == {os.getpid(), process.pid}
