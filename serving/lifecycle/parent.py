"""BentoML's parent process as we run it: what is missing for its end, and that of a worker, to be noticed.

Its supervisor, circus, drops a request to end that comes while it looks after its workers or starts them, and an
orchestrator asks once. And it looks after its workers every ten seconds, although the kernel tells it at once that one died.
"""

from __future__ import annotations

import signal
from typing import Any

AGAIN_SECONDS = 0.1


def attend() -> None:
    """Before BentoML makes its supervisor."""
    from circus import controller

    controller.SysHandler = attentive_handler()


def attentive_handler() -> type[Any]:
    """circus' handler of signals, with what is missing."""
    from circus.client import make_json
    from circus.exc import ConflictError
    from circus.sighandler import SysHandler

    class AttentiveHandler(SysHandler):  # type: ignore[misc]  # circus has no types
        """Asks until the loop ends: once it is heard, circus refuses further requests and says so to nobody."""

        SIGNALS = (*SysHandler.SIGNALS, signal.SIGCHLD)

        def quit(self) -> None:
            self.controller.loop.add_callback_from_signal(self._ask)

        def handle_chld(self) -> None:
            self.controller.loop.add_callback_from_signal(self._look)

        handle_cld = handle_chld  # the same signal's older name, which circus finds

        def _ask(self) -> None:
            request: tuple[Any, Any] = (None, make_json("quit"))
            self.controller.dispatch(request)
            self.controller.loop.call_later(AGAIN_SECONDS, self._ask)

        def _look(self) -> None:
            try:
                self.controller.arbiter.manage_watchers()
            except ConflictError:  # it is at something else
                self.controller.loop.call_later(AGAIN_SECONDS, self._look)

    return AttentiveHandler
