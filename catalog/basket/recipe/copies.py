"""What basket learns from: the usual rows, and some of them again as callers send them who know less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from catalog.basket.features import CUSTOMER, MOMENT, OPTIONAL, customer_codes


def fitted_on(rows: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
    """Usual rows whole; without the moment of the order; with the four fields only, from a customer who is remembered,
    and from one who is new. Of some kinds every second or fourth row is enough.

    A few giant baskets (one in a hundred) cannot be foreseen; left in, they pull up everybody's answer.
    """
    usual = rows[rows["label"] <= rows["label"].quantile(params["usual_share"])]
    every = params["copies"]
    bare = usual.assign(**dict.fromkeys(OPTIONAL, np.nan))
    remembered = bare.assign(**{CUSTOMER: customer_codes(bare["entity"].to_numpy())})
    return pd.concat(
        [
            usual,
            usual.assign(**dict.fromkeys(MOMENT, np.nan))[:: every["without_moment"]],
            remembered[:: every["remembered"]],
            bare[:: every["new_customer"]],
        ]
    )
