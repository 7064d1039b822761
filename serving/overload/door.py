"""What a request meets first, whatever its protocol: is there room for it? And then, who is it?"""

from __future__ import annotations

from serving.admission import Admission
from serving.metrics import Metrics
from serving.overload.control import IN_FLIGHT, Overload
from serving.overload.uploads import Uploads


class Door:
    """`max_in_flight` counts everything but `uploads`, the limit of `overload` only predictions."""

    def __init__(
        self,
        admission: Admission,
        overload: Overload,
        uploads: Uploads,
        metrics: Metrics,
        *,
        max_in_flight: int,
    ) -> None:
        self.admission, self.overload, self.uploads = admission, overload, uploads
        self._metrics, self.max_in_flight = metrics, max_in_flight

    def refuse_without_room(self, authorization: bytes | None, *, limited: bool) -> None:
        """Before anything is verified or read; to be asked at the gate. Raises Overloaded."""
        reason: str | None = None
        if self._metrics.in_flight > self.max_in_flight:
            reason = IN_FLIGHT
        elif limited:
            caller = self.admission.remembered(authorization)
            reason = self.overload.refusal(None if caller is None else caller.subject)
        if reason is not None:
            self._metrics.shed(reason)
            raise self.overload.refused()
