"""The message of a gRPC call: what is said where it does not come in time."""

from __future__ import annotations

import asyncio
import time

import pytest

from modelkit.errors import DeadlineExceeded, RequestTimeout, SlipwayError
from serving.grpc.call import GrpcCall
from serving.grpc.incoming import message_of
from serving.grpc.parts import GrpcLimits
from tests.upload_places import uploads_of

LIMITS = GrpcLimits(
    max_in_flight=1,
    max_body_bytes=100,
    max_instances=1,
    request_timeout_seconds=0.05,
    split_keys=False,
    several=False,
)


class Silent:
    """A context whose client sends nothing."""

    async def read(self) -> bytes:
        await asyncio.Event().wait()
        return b""


@pytest.mark.parametrize(("seconds", "kind"), [(0.05, RequestTimeout), (0.01, DeadlineExceeded)])
def test_a_caller_s_own_deadline_is_told_as_his(seconds: float, kind: type[SlipwayError]) -> None:
    arrived = time.perf_counter()
    call = GrpcCall(Silent(), [], {}, "order-7", b"", arrived=arrived, deadline=arrived + seconds)
    with pytest.raises(SlipwayError) as refused:
        asyncio.run(message_of(call, LIMITS, uploads_of()))
    assert type(refused.value) is kind
