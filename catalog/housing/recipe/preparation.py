"""The raw file of housing to prepared rows: request columns, label and a random split, because no row has a time.

Two block groups may share a place (coordinates have two decimals) and stand on either side of the split. That is what
the model is for: the value of a block group in a state whose other block groups are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from catalog.housing.recipe.raw import FILE, OCEAN
from catalog.housing.schema import HousingRequest
from modelkit.tally import RowTally

USD_PER_UNIT = 100_000
CAP_USD = 500_001
COUNTS = ("total_rooms", "population", "households")
REQUIRED = ("median_income", "house_age", "average_rooms", "population", "average_occupancy")
COLUMNS = [*HousingRequest.model_fields, "label", "time", "known_at", "entity"]


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    """Every row that has a value; a count that is missing leaves a gap."""
    tally = RowTally()
    text = pd.read_csv(raw / FILE, dtype=str)
    tally.read[FILE] += len(text)
    place = text.pop("ocean_proximity").map(OCEAN).astype(object)
    found = text.apply(pd.to_numeric, errors="coerce")
    found = found.assign(ocean_proximity=place.where(place.notna(), None))
    found = _drop(found, found["median_house_value"].isna(), "no label", tally)
    rows = _per_household(found)
    for name in ("average_bedrooms", "ocean_proximity"):
        if missing := int(rows[name].isna().sum()):
            tally.repaired[f"{name} missing, left out of the request"] += missing
    return rows[COLUMNS].reset_index(drop=True), tally


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """Shares of the rows for test and validation, drawn at random; a copy of a row is dropped before that."""
    rows, tally = labelled(raw)
    rows = _drop(rows, rows[list(REQUIRED)].isna().any(axis=1), "a required field is missing", tally)
    outside = ~rows["latitude"].between(32, 42.5) | ~rows["longitude"].between(-125, -114)
    rows = _drop(rows, outside, "not in California", tally)
    rows = _drop(rows, rows.duplicated(), "duplicate row", tally).reset_index(drop=True)
    if capped := int((rows["label"] >= CAP_USD / USD_PER_UNIT).sum()):
        tally.repaired["value at the census's cap, kept"] += capped
    rows = rows.assign(split="train")
    for name in ("test", "valid"):
        _, chosen = train_test_split(
            rows.index[rows["split"] == "train"],
            test_size=round(params[f"{name}_share"] * len(rows)),
            random_state=params["seed"],
        )
        rows.loc[chosen, "split"] = name
    return rows, tally


def _per_household(found: pd.DataFrame) -> pd.DataFrame:
    """A count of zero or less is no count."""
    counts = found[list(COUNTS)].where(found[list(COUNTS)] > 0)
    bedrooms = found["total_bedrooms"].where(found["total_bedrooms"] > 0)
    rows = found.assign(
        house_age=found["housing_median_age"],
        population=counts["population"],
        average_rooms=counts["total_rooms"] / counts["households"],
        average_bedrooms=bedrooms / counts["households"],
        average_occupancy=counts["population"] / counts["households"],
        label=found["median_house_value"] / USD_PER_UNIT,
        time=pd.NaT,
        known_at=pd.NaT,
        entity=None,
    )
    return rows.astype({"time": "datetime64[s]", "known_at": "datetime64[s]"})


def _drop(rows: pd.DataFrame, unusable: pd.Series, reason: str, tally: RowTally) -> pd.DataFrame:
    if found := int(unusable.sum()):
        tally.dropped[reason] += found
    return rows[~unusable]
