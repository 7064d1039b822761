"""Siblings: a replica that lost a worker says so; what the kernel does not tell is no reason to end it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serving.lifecycle.siblings import Siblings

WORKER = b"python\0-m\0worker\0--id\0"


class Kernel:
    """As much of /proc as is read."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder
        self.others: list[int] = []
        self.run(os.getpid(), WORKER + b"1\0")
        self._tell()

    def run(self, pid: int, command: bytes = WORKER + b"2\0") -> None:
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "cmdline").write_bytes(command)
        if pid != os.getpid():
            self.others.append(pid)
        self._tell()

    def end(self, pid: int) -> None:
        """A zombie has no command line."""
        (self.proc / str(pid) / "cmdline").write_bytes(b"")

    def _tell(self) -> None:
        folder = self.proc / str(os.getppid()) / "task" / str(os.getppid())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "children").write_text(" ".join(map(str, (os.getpid(), *self.others))))


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def nobody() -> None:
    """There is nothing to forget."""


def look(siblings: Siblings) -> bool:
    siblings.look()
    return siblings.missing


def test_a_worker_that_was_there_and_is_gone_is_missing(kernel: Kernel) -> None:
    siblings = Siblings(2, forget_the_dead=nobody, proc=kernel.proc)
    kernel.run(7)
    assert not look(siblings)
    kernel.end(7)
    assert look(siblings)
    kernel.run(8)
    assert not look(siblings)


def test_a_worker_that_has_not_started_yet_is_waited_for_and_then_missing(kernel: Kernel) -> None:
    siblings = Siblings(2, forget_the_dead=nobody, proc=kernel.proc)
    assert not look(siblings)
    siblings._complete_by -= 3600
    assert look(siblings)


def test_other_children_of_the_parent_are_no_workers(kernel: Kernel) -> None:
    siblings = Siblings(2, forget_the_dead=nobody, proc=kernel.proc)
    siblings._complete_by -= 3600
    kernel.run(7, b"python\0-m\0something_else\0")
    assert look(siblings)


def test_where_the_kernel_says_nothing_nobody_is_missing(tmp_path: Path) -> None:
    siblings = Siblings(2, forget_the_dead=nobody, proc=tmp_path)
    siblings._complete_by -= 3600
    assert not look(siblings)
