"""The estimators of the two Olist models: preprocessing by choice, gaps that are learnt from, graphs that agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from catalog._olist.recipe import synthesise
from catalog.olist_delivery import recipe as olist
from catalog.olist_delivery.definition import DEFINITION as OLIST
from catalog.order_delivery import recipe as order
from catalog.order_delivery.definition import DEFINITION as ORDER
from catalog.order_delivery.recipe.preprocessing import ENCODERS, IMPUTERS, SCALERS
from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.runtime import CompiledModel
from tests.olist_tables import synthetic_tables
from tests.stage_runs import small_params
from training.compiling.graph import to_graph
from training.frames import to_columns

CHOICES = [
    *[(imputer, "none", "ordinal") for imputer in IMPUTERS],
    *[("median", scaler, "ordinal") for scaler in SCALERS],
    *[("constant", "none", encoder) for encoder in ENCODERS],
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_tables(tmp_path_factory.mktemp("raw"), synthesise(11))


@pytest.fixture(scope="module")
def orders(raw: Path) -> pd.DataFrame:
    return features_of(ORDER, order.labelled(raw)[0])


def features_of(definition: ModelDefinition, rows: pd.DataFrame) -> pd.DataFrame:
    matrix = feature_matrix(definition.build(to_columns(rows, definition.row)), definition.feature_columns)
    features = pd.DataFrame(matrix, columns=list(definition.feature_columns), dtype="float64")
    return features.assign(label=rows["label"].to_numpy(), time=rows["time"].to_numpy())


@pytest.mark.parametrize(("imputer", "scaler", "encoder"), CHOICES)
def test_every_choice_of_preprocessing_is_compiled_faithfully(
    imputer: str, scaler: str, encoder: str, orders: pd.DataFrame
) -> None:
    choice = {"imputer": imputer, "scaler": scaler, "encoder": encoder}
    knobs = small_params(ORDER, preprocessing=choice).train
    knobs["trees"] = knobs["trees"] | {"n_estimators": 5}
    inputs = orders[list(ORDER.feature_columns)]
    fitted = order.make_estimator(knobs, seed=1).fit(inputs, orders["label"])
    compiled = CompiledModel(to_graph(fitted, inputs.shape[1]))
    sample = inputs.head(500).to_numpy(dtype=np.float32)
    assert np.abs(compiled.run(sample)[:, 0] - fitted.predict(inputs.head(500))).max() < 0.5


def test_a_choice_that_there_is_not_is_named() -> None:
    choice = {"imputer": "guess", "scaler": "none", "encoder": "ordinal"}
    with pytest.raises(KeyError, match="guess"):
        order.make_estimator(small_params(ORDER, preprocessing=choice).train, seed=1)


@pytest.mark.parametrize(("definition", "recipe"), [(OLIST, olist), (ORDER, order)], ids=["olist", "order"])
def test_copies_with_gaps_know_what_a_request_owes_and_the_day(
    definition: ModelDefinition, recipe: Any, raw: Path
) -> None:
    rows = features_of(definition, recipe.labelled(raw)[0].head(200))
    learnt = recipe.fitted_on(rows, small_params(definition).train)
    pd.testing.assert_frame_equal(learnt.head(200), rows)
    bare = learnt.iloc[200:300]
    known = set(bare.columns[bare.notna().all()]) & set(definition.feature_columns)
    assert "purchase_day" in known
    assert len(known) < len(definition.feature_columns) / 2
    assert bare["promised_days"].isna().all()
    assert learnt["label"].notna().all()


def test_an_answer_follows_the_fields_that_are_there(raw: Path) -> None:
    """One model for everybody: with all fields it errs less than with the owed ones, with those less than a constant."""
    rows, _ = olist.labelled(raw)
    features = features_of(OLIST, rows)
    columns = list(OLIST.feature_columns)
    train, test = features.iloc[:-1000], features.iloc[-1000:]
    knobs = small_params(OLIST).train
    learnt = olist.fitted_on(train, knobs)
    fitted = olist.make_estimator(knobs, seed=1).fit(learnt[columns], learnt["label"])
    owed = ["seller_zip_code_prefix", "customer_lat", "customer_lng"]
    bare = test[owed].reindex(columns=columns)
    whole, few, constant = (
        float(np.abs(answer - test["label"]).mean())
        for answer in (fitted.predict(test[columns]), fitted.predict(bare), train["label"].median())
    )
    assert whole < few < 0.8 * constant
