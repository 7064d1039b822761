"""Raw files against the pandera schemas of their recipe, before anything is built on them.

Real files are dirty, and recipes repair or drop what they know. A schema says what is expected and how much dirt is
usual: `metadata={"tolerated": 0.05}` of a column lets five percent of its rows fail. More than that is a new kind of file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from training.errors import DataInvalid
from training.validation.findings import Finding

MISSING = ("", "NaN", "nan")
MAX_EXAMPLE = 60
WORDS = {"not_nullable": "is there", "field_uniqueness": "is unique"}


def check_raw(folder: Path, schemas: Mapping[str, pa.DataFrameSchema]) -> list[Finding]:
    """Findings of every file that has a schema. Raises DataInvalid for a file that cannot be read."""
    return [finding for name, schema in schemas.items() for finding in _check_file(folder / name, schema)]


def _check_file(path: Path, schema: pa.DataFrameSchema) -> Iterator[Finding]:
    try:
        text = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise DataInvalid(f"{path.name} cannot be read: {error}") from error
    yield Finding(subject=path.name, check="has rows", failed=int(text.empty), rows=1)
    present, required = set(text.columns), {name for name, c in schema.columns.items() if c.required}
    missing = sorted(required - present)
    yield Finding(
        subject=path.name,
        check="has every column",
        failed=len(missing),
        rows=len(required),
        example=", ".join(missing),
    )
    frame = pd.DataFrame(index=text.index)
    for name in [name for name in schema.columns if name in present]:
        frame[name], finding = _parsed(text[name], schema.columns[name], path.name)
        yield finding
    yield from _check_values(path.name, frame, schema.select_columns(list(frame.columns)))


def _parsed(text: pd.Series, column: pa.Column, file: str) -> tuple[pd.Series, Finding]:
    """The column in the schema's dtype; what is not of that type is a finding and becomes missing."""
    values = text.str.strip().astype(object)
    values = values.where(~values.isin(MISSING), None)
    dtype, kind = str(column.dtype), "text"
    parsed = values
    if dtype.startswith("datetime"):
        kind = "a time"
        parsed = pd.to_datetime(values, errors="coerce", format="mixed").astype("datetime64[ns]")
    elif dtype.startswith(("float", "int")):
        kind = "a number"
        parsed = pd.to_numeric(values, errors="coerce").astype("float64")
    bad = values.notna() & parsed.isna()
    example = str(values[bad].iloc[0])[:MAX_EXAMPLE] if bad.any() else ""
    found = Finding(
        subject=f"{file}, {column.name}",
        check=f"is {kind}",
        failed=int(bad.sum()),
        rows=len(text),
        tolerated=_tolerated(column),
        example=example,
    )
    return parsed, found


def _check_values(file: str, frame: pd.DataFrame, schema: pa.DataFrameSchema) -> Iterator[Finding]:
    """Nulls, ranges, membership and uniqueness, each as one finding."""
    failures = _failures(frame, schema)
    for name, column in schema.columns.items():
        checks = [_name(check) for check in column.checks]
        checks += [] if column.nullable else ["not_nullable"]
        checks += ["field_uniqueness"] if column.unique else []
        for check in checks:
            cases = failures[(failures["column"] == name) & (failures["check"] == check)]
            example = str(cases["failure_case"].iloc[0])[:MAX_EXAMPLE] if len(cases) else ""
            yield Finding(
                subject=f"{file}, {name}",
                check=WORDS.get(check, check.replace("_", " ")),
                failed=len(cases),
                rows=len(frame),
                tolerated=_tolerated(column),
                example=example,
            )


def _failures(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        return error.failure_cases
    return pd.DataFrame({"column": [], "check": [], "failure_case": []})


def _name(check: Any) -> str:
    return str(check.error or check.name)


def _tolerated(column: pa.Column) -> float:
    return float((column.metadata or {}).get("tolerated", 0.0))
