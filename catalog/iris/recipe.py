"""The training half of iris. Left out of the image: nothing that serves may import it."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from catalog.iris.definition import CLASSES
from catalog.iris.schema import IrisRequest
from modelkit.tally import RowTally

FILE = "iris.csv.gz"
RAW_FILES = (FILE,)


def synthesise(seed: int) -> dict[str, bytes]:
    """The real flowers: scikit-learn carries them, so nothing needs to be made up."""
    bunch = load_iris(as_frame=True)
    frame = bunch.frame.set_axis([*IrisRequest.model_fields, "target"], axis=1)
    frame["species"] = frame["target"].map(dict(enumerate(bunch.target_names)))
    return {FILE: gzip.compress(frame.to_csv(index=False).encode(), mtime=0)}


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """A stratified random split: flowers have no time order."""
    tally = RowTally()
    rows = pd.read_csv(raw / FILE)
    tally.read[FILE] += len(rows)
    fields = list(IrisRequest.model_fields)
    rows[fields] = rows[fields].apply(pd.to_numeric, errors="coerce")
    rows = _keep(rows, rows["species"].isin(CLASSES), "species not known", tally)
    rows = _keep(rows, (rows[fields] > 0).all(axis=1), "length missing or not positive", tally)
    rows = rows.assign(label=rows["species"], time=pd.NaT, entity=None, split="train").reset_index(drop=True)
    rows["time"] = rows["time"].astype("datetime64[s]")
    for name, share in (("test", params["test_share"]), ("valid", params["valid_share"])):
        pool = rows[rows["split"] == "train"]
        _, chosen = train_test_split(
            pool.index,
            test_size=round(share * len(rows)),
            stratify=pool["label"],
            random_state=params["seed"],
        )
        rows.loc[chosen, "split"] = name
    return rows[[*fields, "label", "time", "entity", "split"]], tally


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Linear discriminant analysis: exact, so the seed has no part in it."""
    return Pipeline([("discriminant", LinearDiscriminantAnalysis(**params["discriminant"]))])


def _keep(rows: pd.DataFrame, usable: pd.Series, reason: str, tally: RowTally) -> pd.DataFrame:
    if found := int((~usable).sum()):
        tally.dropped[reason] += found
    return rows[usable]
