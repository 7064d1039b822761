"""What goes into the predictor with the rows, and what comes out for each of them: the words that all protocols share."""

from __future__ import annotations

import time

import msgspec

from auth.principal import Principal
from modelkit.errors import DeadlineExceeded
from serving.outcome import Outcome
from serving.tracing.stages import Stages


class Asking(msgspec.Struct, frozen=True, gc=False):
    """Who asks, under which request id, when it arrived and when it must be answered (both `time.perf_counter`).

    `trace_id` is the W3C trace's, where there is one; `split_key` what an A/B split goes by, where that is not the caller;
    `stages` are of a request that is recorded; `arm` is how its version came to answer (`records.split_arms`).
    """

    request_id: str
    principal: Principal
    arrived: float
    deadline: float
    trace_id: str = ""
    split_key: str = ""
    stages: Stages | None = None
    arm: str = ""

    def of_arm(self, arm: str) -> Asking:
        return msgspec.structs.replace(self, arm=arm) if arm else self

    def refuse_late(self) -> None:
        """Raises DeadlineExceeded."""
        if time.perf_counter() > self.deadline:
            raise DeadlineExceeded


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One row's answer as every protocol carries it."""

    outcome: Outcome
    prediction_id: str
    cached: bool
