"""One gRPC call as its method sees it: what a `serving.inference.Call` is, and what the trail of refusals asks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from auth.principal import Principal
from modelkit.errors import InvalidRequest
from serving.limits.headers import Fields
from serving.predictor import Asking
from serving.splitting import split_key_of
from serving.tracing.context import TRACE
from serving.tracing.stages import Stages

SPLIT_KEY = "x-split-key"
Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(slots=True)
class GrpcCall:
    """`given` is the metadata of the request, by name, the last of each; `sent` all of it. Times are `time.perf_counter`'s.

    `principal` stays None on open methods. `limit_fields` are told from the moment that the caller's limit was charged.
    """

    context: Any
    sent: Metadata
    given: dict[str, str | bytes]
    request_id: str
    traceparent: bytes
    arrived: float
    deadline: float
    split_keys: bool = False
    stages: Stages | None = None
    principal: Principal | None = None
    limit_fields: Fields = field(default=())

    @property
    def caller(self) -> Principal:
        assert self.principal is not None, "an open method has no caller"
        return self.principal

    @property
    def asking(self) -> Asking:
        """Raises InvalidRequest where there are two split keys."""
        key = self.given.get(SPLIT_KEY, "") if self.split_keys else ""
        if key and sum(name == SPLIT_KEY for name, _ in self.sent) > 1:
            raise InvalidRequest("x-split-key is given more than once")
        return Asking(
            self.request_id,
            self.caller,
            self.arrived,
            self.deadline,
            trace_id=self.traceparent[TRACE].decode(),
            split_key=split_key_of(_bytes(key)) if key else "",
            stages=self.stages,
        )

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.perf_counter()

    @property
    def method(self) -> str:
        return "GRPC"

    @property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode(), _bytes(value)) for name, value in self.sent]

    @property
    def peer(self) -> str:
        """The address alone, of `ipv4:127.0.0.1:50051` or `ipv6:%5B::1%5D:50051`."""
        kind, _, rest = str(self.context.peer()).partition(":")
        address = unquote(rest.rpartition(":")[0]).strip("[]")
        return address if kind in ("ipv4", "ipv6") else ""


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
