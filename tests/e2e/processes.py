"""What `/proc` says of processes: who started whom, who listens where, and who is left of a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
LISTENING, ESTABLISHED = "0A", "01"


def children(pid: int) -> list[int]:
    return [other for other in _all() if _parent(other) == pid]


def command_line(pid: int) -> str:
    return _read(pid, "cmdline").replace("\0", " ").strip()


def is_alive(pid: int) -> bool:
    """A zombie, which only waits to be asked for its exit code, is not."""
    state = _status(pid)
    return bool(state) and state[0] not in "ZX"


def carrying(variable: str, value: str) -> list[int]:
    """Living processes with this in their environment, whoever their parent is by now."""
    wanted = f"{variable}={value}"
    return [pid for pid in _all() if is_alive(pid) and wanted in _read(pid, "environ").split("\0")]


def listeners(port: int) -> set[int]:
    """The processes that hold a listening TCP socket on the port."""
    local = f":{port:04X}"
    return _holding(row[9] for row in _sockets() if row[3] == LISTENING and row[1].endswith(local))


def peers(port: int) -> set[int]:
    """The processes to which a connection from this local port goes."""
    remote = f":{port:04X}"
    return _holding(row[9] for row in _sockets() if row[3] == ESTABLISHED and row[2].endswith(remote))


def _sockets() -> list[list[str]]:
    return [line.split() for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]]


def _holding(inodes: Iterable[str]) -> set[int]:
    sockets = {f"socket:[{inode}]" for inode in inodes}
    return {pid for pid in _all() if sockets & set(_open_files(pid))}


def _all() -> Iterator[int]:
    return (int(path.name) for path in PROC.iterdir() if path.name.isdigit())


def _parent(pid: int) -> int | None:
    state = _status(pid)
    return int(state[1]) if state else None


def _status(pid: int) -> list[str]:
    """Fields of `stat` from the state on; a command's name, which comes before, may hold anything."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _open_files(pid: int) -> Iterator[str]:
    try:
        for entry in (PROC / str(pid) / "fd").iterdir():
            yield str(entry.readlink())
    except OSError:
        return


def _read(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_text(errors="replace")
    except OSError:  # gone meanwhile, or not ours
        return ""
