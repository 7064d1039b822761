"""Filling gaps, scaling and plain functions: numbers in, numbers out, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from training.compiling.graph.assembly import Assembly, Tensor
from training.compiling.graph.refusal import refuse_unless


def add_imputer(assembly: Assembly, imputer: SimpleImputer, source: Tensor) -> Tensor:
    """Gaps filled with the fitted statistic of their column; columns that had none are left out, as the imputer does."""
    refuse_unless(bool(np.isnan(imputer.missing_values)), imputer, "only NaN is taken for missing")
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    kept = [place for place, value in enumerate(statistics) if not np.isnan(value)]
    chosen = assembly.gather(source, kept)
    gaps = assembly.op("IsNaN", [chosen.name])
    if not np.array_equal(statistics[kept], statistics[kept].astype(np.float32)):
        chosen = assembly.to_double(chosen)
    fill = assembly.constant(statistics[kept], np.float64 if chosen.double else np.float32)
    filled = Tensor(assembly.op("Where", [gaps, fill, chosen.name]), len(kept), chosen.double)
    if not imputer.add_indicator:
        return filled
    flagged = assembly.gather(source, imputer.indicator_.features_.tolist())
    flags = assembly.as_float(assembly.op("IsNaN", [flagged.name]), flagged.width)
    return assembly.concat([filled, flags])


def add_standard(assembly: Assembly, scaler: StandardScaler, source: Tensor) -> Tensor:
    return _scaled(assembly, source, minus=scaler.mean_ if scaler.with_mean else None, over=scaler.scale_)


def add_robust(assembly: Assembly, scaler: RobustScaler, source: Tensor) -> Tensor:
    return _scaled(assembly, source, minus=scaler.center_, over=scaler.scale_)


def add_min_max(assembly: Assembly, scaler: MinMaxScaler, source: Tensor) -> Tensor:
    refuse_unless(not scaler.clip, scaler, "clipping is not compiled")
    return _affine(assembly, source, times=scaler.scale_, plus=scaler.min_)


def add_max_abs(assembly: Assembly, scaler: MaxAbsScaler, source: Tensor) -> Tensor:
    return _scaled(assembly, source, minus=None, over=scaler.scale_)


def add_function(assembly: Assembly, transformer: FunctionTransformer, source: Tensor) -> Tensor:
    return _function(assembly, transformer, transformer.func, source)


def add_inverse(assembly: Assembly, transformer: Any, source: Tensor) -> Tensor:
    """What undoes a transformation of the target."""
    if isinstance(transformer, FunctionTransformer):
        return _function(assembly, transformer, transformer.inverse_func, source)
    refuse_unless(type(transformer) is StandardScaler, transformer, "it cannot be undone in a graph")
    mean = transformer.mean_ if transformer.with_mean else 0.0
    scale = transformer.scale_ if transformer.with_std else 1.0
    return _affine(assembly, source, times=scale, plus=mean)


def _scaled(assembly: Assembly, source: Tensor, *, minus: Any, over: Any) -> Tensor:
    name = assembly.to_double(source).name
    if minus is not None:
        name = assembly.op("Sub", [name, assembly.constant(minus, np.float64)])
    if over is not None:
        name = assembly.op("Div", [name, assembly.constant(over, np.float64)])
    return Tensor(name, source.width, double=True)


def _affine(assembly: Assembly, source: Tensor, *, times: ArrayLike, plus: ArrayLike) -> Tensor:
    scaled = assembly.op("Mul", [assembly.to_double(source).name, assembly.constant(times, np.float64)])
    moved = assembly.op("Add", [scaled, assembly.constant(plus, np.float64)])
    return Tensor(moved, source.width, double=True)


def _function(assembly: Assembly, transformer: Any, function: Any, source: Tensor) -> Tensor:
    if function is None:
        return source
    known = FUNCTIONS.get(function)
    refuse_unless(known is not None, transformer, f"{function!r} is not compiled; known: {_known()}")
    assert known is not None
    return Tensor(known(assembly, assembly.to_float(source).name), source.width)


def _expm1(assembly: Assembly, name: str) -> str:
    return assembly.op("Sub", [assembly.op("Exp", [name]), assembly.constant(1.0)])


# No logarithm: in the runtime it gives other last bits in a batch than for one row. `features.build` can take one.
FUNCTIONS: dict[Any, Callable[[Assembly, str], str]] = {
    np.exp: lambda assembly, name: assembly.op("Exp", [name]),
    np.expm1: _expm1,
    np.sqrt: lambda assembly, name: assembly.op("Sqrt", [name]),
    np.square: lambda assembly, name: assembly.op("Mul", [name, name]),
    np.abs: lambda assembly, name: assembly.op("Abs", [name]),
}


def _known() -> str:
    return ", ".join(sorted(function.__name__ for function in FUNCTIONS))


CONVERTERS: dict[type, Any] = {
    SimpleImputer: add_imputer,
    StandardScaler: add_standard,
    RobustScaler: add_robust,
    MinMaxScaler: add_min_max,
    MaxAbsScaler: add_max_abs,
    FunctionTransformer: add_function,
}
