"""What BentoML's stack says when a typed API fails is put back into the one format of errors that every caller knows.

BentoML hides the reason of a 5xx and writes 4xx as a list; the error that the typed API met is remembered here instead.
"""

from __future__ import annotations

from contextvars import ContextVar

from modelkit.errors import DeadlineExceeded, Overloaded, PredictionFailed, SlipwayError
from serving.http.app import AsgiApp
from serving.http.exchange import Message, Receive, Scope, Send, send_reply
from serving.http.native import checked
from serving.http.problems import problem_reply

# Of the request that is being passed on: what went wrong in its typed API, once something did.
met: ContextVar[list[SlipwayError]] = ContextVar("met")

# BentoML's own reasons to refuse.
_BY_STATUS: dict[int, type[SlipwayError]] = {503: Overloaded, 504: DeadlineExceeded}


class WithProblems:
    """The app of BentoML's, whose failed answers of typed APIs are replaced; its pages are left alone."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            return await self._app(scope, receive, send)
        errors: list[SlipwayError] = []
        met.set(errors)
        replaced = False

        async def watched(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] >= 400:
                replaced = True
                error = errors[0] if errors else _BY_STATUS.get(message["status"], PredictionFailed)()
                _, asking = checked.get()
                await send_reply(send, problem_reply(error, request_id=asking.request_id), [])
            elif not replaced:
                await send(message)

        await self._app(scope, receive, watched)
