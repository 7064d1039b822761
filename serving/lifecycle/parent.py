"""BentoML's parent process as we run it: what is missing for its end to be certain.

Its supervisor, circus, drops a request to end that comes while it looks after its workers or starts them, and an
orchestrator asks once.
"""

from __future__ import annotations

from typing import Any

AGAIN_SECONDS = 0.1


def insist_on_ending() -> None:
    """Before BentoML makes its supervisor."""
    from circus import controller
    from circus.client import make_json
    from circus.sighandler import SysHandler

    class InsistingHandler(SysHandler):  # type: ignore[misc]  # circus has no types
        """Asks until the loop ends: once it is heard, circus refuses further requests and says so to nobody."""

        def quit(self) -> None:
            self.controller.loop.add_callback_from_signal(self._ask)

        def _ask(self) -> None:
            request: tuple[Any, Any] = (None, make_json("quit"))
            self.controller.dispatch(request)
            self.controller.loop.call_later(AGAIN_SECONDS, self._ask)

    controller.SysHandler = InsistingHandler
