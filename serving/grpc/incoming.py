"""The one message of a call, read when its caller is known: within its deadline, and no larger than a body may be."""

from __future__ import annotations

import asyncio

from grpc.aio import EOF

from modelkit.errors import DeadlineExceeded, InvalidRequest, PayloadTooLarge, RequestTimeout
from serving.grpc.call import GrpcCall
from serving.grpc.parts import GrpcLimits
from serving.overload.uploads import Uploads

# gRPC's library ends a call by itself where a message is larger, and then nobody is told the request's id.
LARGEST = 2
# A call that has ended, and not just its messages, is cancelled within a round of the loop or two.
ENDING_SECONDS = 0.01


async def message_of(call: GrpcCall, limits: GrpcLimits, uploads: Uploads) -> bytes:
    """Raises RequestTimeout or DeadlineExceeded, PayloadTooLarge, or InvalidRequest where the client has none to send."""
    try:
        async with uploads.place(call.seconds_left):
            message = await call.context.read()
    except RequestTimeout:
        if call.deadline - call.arrived < limits.request_timeout_seconds:
            raise DeadlineExceeded("The deadline that the call came with is over") from None
        raise
    if message is EOF:
        await asyncio.sleep(ENDING_SECONDS)
        raise InvalidRequest("The call has no message")
    if len(message) > limits.max_body_bytes:
        raise PayloadTooLarge
    return bytes(message)
