"""A real worker behind a real port: `FrontService`, asked over HTTP."""

from __future__ import annotations

from tests.fakes.http_service import Asked, HttpService, Said
from tests.front_service import FrontService


def served(front: FrontService) -> HttpService:
    """Not started yet."""

    def answer(asked: Asked) -> Said:
        reply = front.ask_raw(asked.method, asked.path, asked.headers, asked.body)
        headers = {name: value for name, value in reply.headers.items() if name != "content-length"}
        return Said(reply.status_code, reply.content, headers)

    return HttpService(answer)
