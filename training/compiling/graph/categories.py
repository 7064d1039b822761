"""Encoders of category codes. A code is a number that float32 holds exactly; anything else is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from training.compiling.graph.assembly import ML_DOMAIN, Assembly, Tensor
from training.compiling.graph.refusal import refuse_unless


def add_one_hot(assembly: Assembly, encoder: OneHotEncoder, source: Tensor) -> Tensor:
    """A column per category; one that was never seen has none."""
    refuse_unless(encoder.handle_unknown != "error", encoder, "a graph cannot fail on an unknown category")
    infrequent = getattr(encoder, "infrequent_categories_", None) or []
    refuse_unless(
        all(found is None for found in infrequent), encoder, "infrequent categories are not compiled"
    )
    columns: list[int] = []
    wanted: list[float] = []
    for place, found in enumerate(encoder.categories_):
        dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[place]
        kept = [code for index, code in enumerate(_codes(encoder, found)) if index != dropped]
        columns += [place] * len(kept)
        wanted += kept
    spread = assembly.gather(assembly.to_float(source), columns)
    is_gap = np.isnan(wanted)
    hit = assembly.op("Equal", [spread.name, assembly.constant(wanted)])
    if is_gap.any():
        gap = assembly.op("And", [assembly.op("IsNaN", [spread.name]), assembly.constant(is_gap, np.bool_)])
        hit = assembly.op("Or", [hit, gap])
    return assembly.as_float(hit, spread.width)


def add_ordinal(assembly: Assembly, encoder: OrdinalEncoder, source: Tensor) -> Tensor:
    refuse_unless(
        encoder.handle_unknown == "use_encoded_value", encoder, "a graph cannot fail on an unknown category"
    )
    infrequent = getattr(encoder, "infrequent_categories_", None) or []
    refuse_unless(
        all(found is None for found in infrequent), encoder, "infrequent categories are not compiled"
    )
    parts = []
    for place, found in enumerate(encoder.categories_):
        codes = _codes(encoder, found)
        values = [
            float(encoder.encoded_missing_value) if np.isnan(code) else float(index)
            for index, code in enumerate(codes)
        ]
        column = assembly.gather(source, [place])
        parts.append(_look_up(assembly, column, codes, values, float(encoder.unknown_value)))
    return assembly.concat(parts)


def add_target(assembly: Assembly, encoder: TargetEncoder, source: Tensor) -> Tensor:
    """The mean target of the category, and of everything for one that was never seen."""
    refuse_unless(encoder.target_type_ != "multiclass", encoder, "more than two classes are not compiled")
    parts = []
    for place, (found, values) in enumerate(zip(encoder.categories_, encoder.encodings_, strict=True)):
        column = assembly.gather(source, [place])
        codes = _codes(encoder, found)
        parts.append(_look_up(assembly, column, codes, list(values), float(encoder.target_mean_)))
    return assembly.concat(parts)


def _codes(encoder: Any, found: NDArray[Any]) -> list[float]:
    refuse_unless(
        found.dtype.kind in "biuf", encoder, "categories must be numbers: encode text in features.build"
    )
    codes = found.astype(np.float64)
    same = codes.astype(np.float32).astype(np.float64)
    refuse_unless(np.array_equal(codes, same, equal_nan=True), encoder, "float32 cannot tell its codes apart")
    return [float(code) for code in codes]


def _look_up(
    assembly: Assembly, column: Tensor, codes: Sequence[float], values: Sequence[float], unknown: float
) -> Tensor:
    """The value of each row's code."""
    column = assembly.to_float(column)
    table = {code: value for code, value in zip(codes, values, strict=True) if not np.isnan(code)}
    name = assembly.op(
        "LabelEncoder",
        [column.name],
        domain=ML_DOMAIN,
        keys_floats=list(table),
        values_floats=list(table.values()),
        default_float=unknown,
    )
    of_gap = next((v for code, v in zip(codes, values, strict=True) if np.isnan(code)), unknown)
    gaps = assembly.op("IsNaN", [column.name])
    return Tensor(assembly.op("Where", [gaps, assembly.constant(of_gap), name]), 1)


CONVERTERS: dict[type, Any] = {
    OneHotEncoder: add_one_hot,
    OrdinalEncoder: add_ordinal,
    TargetEncoder: add_target,
}
