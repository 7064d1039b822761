"""Clients that leave before their answer is ready: what they asked for is not worth computing any more.

Watched for where a request is large. One row is answered sooner than a watch would be set up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from modelkit.errors import ClientGone
from serving.http.exchange import Exchange

Result = TypeVar("Result")


async def unless_gone(exchange: Exchange, work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` returns, the body having been read. Raises ClientGone, with `work` cancelled, when the client leaves."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(exchange))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            if leaving.exception() is None and leaving.result():
                raise ClientGone
        return await working
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnect(exchange: Exchange) -> bool:
    """Whether the next that comes is the client's departure; a server may also repeat the body's end."""
    return bool((await exchange.receive())["type"] == "http.disconnect")
