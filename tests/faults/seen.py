"""What a load was asked to do and what its clients saw: the words between the generator's process and a scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

NO_ROOM = "503 overloaded"  # as `Seen.failures` calls it


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` requests a second; 0: as many as `connections` take. `prefix` begins every request id."""

    port: int
    token: str
    rate: float
    seconds: float
    prefix: str
    answer_file: str
    known_share: float = 0.5
    connections: int = 32
    seed: int = 7


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One request, from when it should have left (monotonic clock). Status 0: the connection ended without an answer.

    `code` is what a problem calls itself.
    """

    at: float
    seconds: float
    status: int
    request_id: str
    prediction_id: str
    code: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was asked, in the order of the answers."""

    begin: float
    samples: list[Sample]
    never_answered: int
    contradictions: int  # answers to a row that had another answer before

    @property
    def acknowledged(self) -> dict[str, str]:
        """Prediction id to request id of every 200."""
        return {sample.prediction_id: sample.request_id for sample in self.samples if sample.status == 200}

    @property
    def failures(self) -> dict[str, int]:
        """Everything but a 200, by its status and code."""
        failed = Counter(
            f"{sample.status} {sample.code}".rstrip()
            for sample in self.samples
            if sample.status not in (0, 200)
        )
        cut = sum(sample.status == 0 for sample in self.samples) + self.never_answered
        return dict(failed) | ({"no answer": cut} if cut else {})

    def between(self, start: float, end: float) -> list[Sample]:
        return [sample for sample in self.samples if start <= sample.at < end]


def p99_ms(samples: Sequence[Sample]) -> float:
    """In milliseconds; 0 without samples."""
    latencies = sorted(sample.seconds for sample in samples)
    return latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1000 if latencies else 0.0
