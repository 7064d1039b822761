"""The split of orders by the time of purchase, and what is not worth learning from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from modelkit.tally import RowTally


def split_by_time(rows: pd.DataFrame, params: Mapping[str, Any], tally: RowTally) -> pd.DataFrame:
    """Test is the last `test_days` of purchases, validation the `valid_days` before.

    Only training loses its outliers (`outlier_days`): the others are judged as they came. Parcels that were lost and
    found again say nothing about the next one.
    """
    test_from = rows["purchased_at"].max() - pd.Timedelta(days=params["test_days"])
    valid_from = test_from - pd.Timedelta(days=params["valid_days"])
    split = pd.Series("train", index=rows.index, dtype=object)
    split[rows["purchased_at"] >= valid_from] = "valid"
    split[rows["purchased_at"] >= test_from] = "test"
    outlier = (split == "train") & (rows["days"] > params["outlier_days"])
    if found := int(outlier.sum()):
        tally.dropped[f"took over {params['outlier_days']} days, not trained on"] += found
    return rows.assign(split=split)[~outlier].reset_index(drop=True)
