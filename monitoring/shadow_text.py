"""The shadow report as a person reads it."""

from __future__ import annotations

from monitoring.ab_text import difference_cells, latency_rows
from monitoring.figures import ShadowReport
from monitoring.layout import figure, table


def shadow_text(report: ShadowReport) -> str:
    lines = [
        f"Shadow report of {report.model} since {report.since:%Y-%m-%d %H:%M} UTC",
        "",
        *(f"* {sentence}" for sentence in report.says),
    ]
    if not report.enough:
        return "\n".join(lines)
    lines += ["", *table(_figures(report)), *_latency(report), *_confusion(report), *_worst(report)]
    return "\n".join([*lines, "", f"Method: {report.method}"])


def _figures(report: ShadowReport) -> list[list[str]]:
    unit = "" if report.disagreement else f", {report.units}"
    rows = [
        [f"version {report.challenger} minus {report.production}", "rows", "mean", "95 % interval"],
    ]
    if report.difference is not None:
        rows.append([f"answer{unit}", str(report.pairs), *difference_cells(report.difference)])
    if (found := report.disagreement) is not None:
        within = "-" if found.low is None or found.high is None else f"{found.low:.2%} … {found.high:.2%}"
        share = [f"{found.estimate:.2%}", within]
        rows.append(["disagreement", str(report.pairs), *share])
    rows.append(
        [f"{report.error_name}{unit}", str(report.labelled), *difference_cells(report.error_difference)]
    )
    rows.append(["callers", str(report.callers), f"worth {report.effective_callers:.1f}", ""])
    return rows


def _latency(report: ShadowReport) -> list[str]:
    quantiles = [["quantile of the difference", report.units]]
    quantiles += [[name, figure(value)] for name, value in report.differences.items()]
    lines = ["", *table(quantiles)] if report.differences else []
    rows = latency_rows(report.production_latency_ms, report.challenger_latency_ms)
    return (
        [*lines, "", *table([["", "production", "challenger", "difference", ""], *rows])] if rows else lines
    )


def _confusion(report: ShadowReport) -> list[str]:
    if not report.confusion:
        return []
    labels = sorted({*report.confusion, *(name for row in report.confusion.values() for name in row)})
    rows = [
        [given, *(str(report.confusion.get(given, {}).get(shadow, 0)) for shadow in labels)]
        for given in labels
    ]
    return ["", *table([["production said \\ challenger", *labels], *rows])]


def _worst(report: ShadowReport) -> list[str]:
    if not report.worst:
        return []
    head = ["prediction id", "production", "challenger", "difference" if report.differences else "surety"]
    rows = [
        [row.prediction_id, figure(row.production), figure(row.challenger), figure(row.difference)]
        for row in report.worst
    ]
    return ["", *table([head, *rows])]
