"""`iris=10,basket=2.5`: per cent of something, model by model, as settings of the comparison write it."""

from __future__ import annotations

import math
import re

_SHARE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*([0-9]+(?:\.[0-9]+)?)")


def parse_shares(text: str) -> dict[str, float]:
    """Shares (0 to 1) by model. Raises ValueError."""
    shares: dict[str, float] = {}
    for entry in text.replace("\n", ",").split(","):
        if not entry.strip():
            continue
        found = _SHARE.fullmatch(entry.strip())
        if found is None or not math.isfinite(per_cent := float(found[2])) or per_cent > 100:
            raise ValueError("a model and a share of 0 to 100 per cent are written as iris=10")
        if found[1] in shares:
            raise ValueError(f"{found[1]} is named twice")
        shares[found[1]] = per_cent / 100
    return shares
