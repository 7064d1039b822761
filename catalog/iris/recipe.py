"""The training half of iris. Left out of the image: nothing that serves may import it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from optuna import Trial
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from catalog.iris.definition import CLASSES
from catalog.iris.schema import IrisRequest
from modelkit.tally import RowTally
from modelkit.yardstick import QuickModel, Yardstick

FILE = "iris.csv.gz"
RAW_FOLDER, RAW_FILES = "iris", (FILE,)
RAW_SCHEMAS = {
    FILE: pa.DataFrameSchema(
        {
            **{name: pa.Column(float, pa.Check.in_range(0, 30)) for name in IrisRequest.model_fields},
            "species": pa.Column(str, pa.Check.isin(CLASSES)),
        }
    )
}


def synthesise(seed: int) -> dict[str, bytes]:
    """The real flowers: scikit-learn carries them, so nothing needs to be made up."""
    bunch = load_iris(as_frame=True)
    frame = bunch.frame.set_axis([*IrisRequest.model_fields, "target"], axis=1)
    frame["species"] = frame["target"].map(dict(enumerate(bunch.target_names)))
    return {FILE: gzip.compress(frame.to_csv(index=False).encode(), mtime=0)}


def download(fetch: Callable[[str], Path]) -> dict[str, bytes]:
    """Nothing to fetch: the flowers come with scikit-learn."""
    return synthesise(seed=0)


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    """Every flower of a known species; no flower has a time."""
    tally = RowTally()
    rows = pd.read_csv(raw / FILE)
    tally.read[FILE] += len(rows)
    fields = list(IrisRequest.model_fields)
    rows[fields] = rows[fields].apply(pd.to_numeric, errors="coerce")
    rows = _keep(rows, rows["species"].isin(CLASSES), "species not known", tally)
    rows = rows.assign(label=rows["species"], time=pd.NaT, known_at=pd.NaT, entity=None)
    rows[["time", "known_at"]] = rows[["time", "known_at"]].astype("datetime64[s]")
    return rows[[*fields, "label", "time", "known_at", "entity"]], tally


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """A stratified random split."""
    rows, tally = labelled(raw)
    measured = (rows[list(IrisRequest.model_fields)] > 0).all(axis=1)
    rows = _keep(rows, measured, "length missing or not positive", tally)
    rows = rows.assign(split="train").reset_index(drop=True)
    for name, share in (("test", params["test_share"]), ("valid", params["valid_share"])):
        pool = rows[rows["split"] == "train"]
        _, chosen = train_test_split(
            pool.index,
            test_size=round(share * len(rows)),
            stratify=pool["label"],
            random_state=params["seed"],
        )
        rows.loc[chosen, "split"] = name
    return rows, tally


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Linear discriminant analysis: exact, so the seed has no part in it."""
    return Pipeline([("discriminant", LinearDiscriminantAnalysis(**params["discriminant"]))])


def suggest(trial: Trial) -> dict[str, Any]:
    """How far class covariances are drawn together; `svd` would take no shrinkage."""
    shrinkage = trial.suggest_float("shrinkage", 0.0, 0.5)
    return {"discriminant": {"solver": "lsqr", "shrinkage": shrinkage}}


def yardstick(iterations: int) -> Yardstick:
    """Discriminant analysis is what ours is, but for the shrinkage that calms its probabilities: no gain is asked there."""
    forest = RandomForestClassifier(n_estimators=max(1, iterations // 10), random_state=0)
    models = {
        "logistic regression": LogisticRegression(max_iter=1000),
        "forest": forest,
        "support vectors": make_pipeline(StandardScaler(), SVC()),
    }
    quick = [QuickModel(name=name, columns=_lengths, estimator=model) for name, model in models.items()]
    same = QuickModel(
        name="discriminant analysis", columns=_lengths, estimator=LinearDiscriminantAnalysis(), gain=None
    )
    return Yardstick(metric="accuracy", models=(*quick, same))


def _lengths(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[list(IrisRequest.model_fields)]


def _keep(rows: pd.DataFrame, usable: pd.Series, reason: str, tally: RowTally) -> pd.DataFrame:
    if found := int((~usable).sum()):
        tally.dropped[reason] += found
    return rows[usable]
