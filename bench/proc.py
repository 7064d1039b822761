"""Reading /proc: which processes a server consists of, what CPU time they took and how much memory they hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class ProcessStat:
    """From /proc/<pid>/stat. `started` tells a process from a later one that was given the same id."""

    pid: int
    parent: int
    cpu_seconds: float
    started: int
    zombie: bool


def parse_stat(text: str) -> ProcessStat:
    """The command may hold spaces and parentheses, so fields are counted after the last closing one."""
    pid, rest = text.split(" ", 1)
    fields = rest[rest.rindex(")") + 2 :].split()
    return ProcessStat(
        pid=int(pid),
        parent=int(fields[1]),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND,
        started=int(fields[19]),
        zombie=fields[0] == "Z",
    )


def read_stat(pid: int) -> ProcessStat | None:
    """None when the process is gone."""
    try:
        return parse_stat((PROC / str(pid) / "stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def process_tree(root: int) -> dict[int, ProcessStat]:
    """The process and all its living descendants, by id."""
    stats = [
        stat for entry in PROC.iterdir() if entry.name.isdigit() and (stat := read_stat(int(entry.name)))
    ]
    children: dict[int, list[ProcessStat]] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat)
    tree = {stat.pid: stat for stat in stats if stat.pid == root}
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), []):
            tree[child.pid] = child
            waiting.append(child.pid)
    return tree


def command_line(pid: int) -> str:
    try:
        return (
            (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    except (FileNotFoundError, ProcessLookupError):
        return ""


def parse_pss_bytes(smaps_rollup: str) -> int:
    """Proportional set size: memory shared with other processes counts by its share."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def pss_bytes(pid: int) -> int:
    try:
        return parse_pss_bytes((PROC / str(pid) / "smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0


def peak_memory_bytes(pid: int) -> int:
    """The most that a process ever held (VmHWM)."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0
