"""Moments in the past at which a model could have been fitted, so that its errors are known from more than one of them.

Where time moves, the errors of one window share their direction: rows of a single window say how far answers scatter in it,
and not how far the next window may lie from all of them. Several origins, each judged on what came after it by a model that
knew nothing of that, do (rolling origins: Tashman 2000, "Out-of-sample tests of forecasting accuracy", International Journal of
Forecasting 16, 437-450).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.fitting.cuts import Cut, calibration_cut, evaluation_cut, known_at


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`cut` says what a model may be fitted on, `judged` what its errors are known on. `window` is `judged`, and what was
    bought in the same time but had no label yet."""

    cut: Cut
    judged: NDArray[np.bool_]
    window: NDArray[np.bool_]


def past_origins(frame: pd.DataFrame, count: int) -> list[Origin]:
    """The latest first: the start of the valid split, judged on that split. One valid split earlier each, the others are
    judged on twice its length, because the model that is judged on the test split, and that serves, grows as old.

    Without time there is one. Fewer than `count` where the data do not reach back.
    """
    first, judged = evaluation_cut(frame), calibration_cut(frame)
    window = (frame["split"] == "valid").to_numpy(dtype=bool)
    origins = [Origin(cut=first, judged=judged.rows, window=window)]
    if first.now is None or judged.now is None:
        return origins
    length = judged.now - first.now
    for number in range(1, count):
        now = first.now - number * length
        origin = _origin(frame, now, now + 2 * length, until=judged.now)
        if not (origin.cut.rows.any() and origin.judged.any()):
            break
        origins.append(origin)
    return origins


def _origin(frame: pd.DataFrame, now: pd.Timestamp, end: pd.Timestamp, *, until: pd.Timestamp) -> Origin:
    time, known = frame["time"], known_at(frame)
    train = frame["split"] == "train"
    fitted = train & (time.isna() | ((time < now) & (known < now)))
    window = (frame["split"] != "test") & (time >= now) & (time < end)
    return Origin(
        cut=Cut(rows=fitted.to_numpy(dtype=bool), now=now),
        judged=(window & (known < until)).to_numpy(dtype=bool),
        window=window.to_numpy(dtype=bool),
    )
