"""Stage 1: raw files to rows of request columns with label, time, entity and split, and a report of every row's fate."""

from __future__ import annotations

from modelkit.definition import ModelDefinition
from training.data.raw_data import is_synthetic
from training.files import write_json
from training.frames import SPLITS, check_prepared
from training.layout import Layout
from training.params import ModelParams
from training.recipes import recipe_of
from training.validation.prepared import check_rows
from training.validation.raw import check_raw
from training.validation.report import refuse_failures, write_report


def prepare(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes `rows.parquet`, its test split again as `test_rows.parquet` (champions are judged on it), `report.json` and
    the validation. Raises DataInvalid, the report written, where a check fails.
    """
    recipe = recipe_of(definition)
    layout.prepared.mkdir(parents=True, exist_ok=True)
    raw = check_raw(layout.raw, recipe.RAW_SCHEMAS)
    if not all(finding.passed for finding in raw):  # no recipe can be asked to read what is not there
        write_report(definition, layout, raw)
        refuse_failures(definition, layout, raw)
    rows, tally = recipe.prepare(layout.raw, params.prepare)
    check_prepared(rows, definition.row)
    findings = [*raw, *check_rows(definition, rows)]
    write_report(definition, layout, findings, rows)
    refuse_failures(definition, layout, findings)
    rows.to_parquet(layout.rows, index=False)
    rows[rows["split"] == "test"].to_parquet(layout.test_rows, index=False)
    splits = {name: int((rows["split"] == name).sum()) for name in SPLITS}
    report = {
        "read": dict(tally.read),
        "dropped": dict(tally.dropped),
        "repaired": dict(tally.repaired),
        "used": tally.used,
        "split": splits,
        "synthetic": is_synthetic(layout.raw),
    }
    write_json(layout.report, report)
    return f"{tally.read.total()} rows read, {tally.used} used, {tally.dropped.total()} dropped: {splits}"
