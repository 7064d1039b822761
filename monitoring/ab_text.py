"""The A/B report as a person reads it: the split first, then what may be said, then the figures."""

from __future__ import annotations

from monitoring.figures import AbReport, Arm, Difference, Latency
from monitoring.layout import figure, table


def ab_text(report: AbReport) -> str:
    lines = [
        f"A/B report of {report.model}, {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC",
        "",
        *(f"* {sentence}" for sentence in report.says),
    ]
    if report.production is not None and report.challenger is not None:
        lines += ["", *table(_rows(report, report.production, report.challenger)), *_labels(report)]
        lines += [
            "",
            *(f"not compared: {rows} rows of version {name}" for name, rows in report.left_out.items()),
            f"Method: {report.method}",
        ]
    return "\n".join(lines)


def _rows(report: AbReport, production: Arm, challenger: Arm) -> list[list[str]]:
    unit = "" if production.labels else f", {report.units}"
    return [
        ["", "production", "challenger", "difference", "95 % interval"],
        ["version", production.version, challenger.version, "", ""],
        ["rows", str(production.rows), str(challenger.rows), "", ""],
        ["callers", str(production.units), str(challenger.units), "", ""],
        [
            "as callers alike",
            f"{production.effective_units:.1f}",
            f"{challenger.effective_units:.1f}",
            "",
            "",
        ],
        ["rows with truth", str(production.labelled), str(challenger.labelled), "", ""],
        [f"{report.error_name}{unit}", *_pair(production.error, challenger.error, report.error_difference)],
        *(
            [
                [
                    f"mean answer{unit}",
                    *_pair(
                        production.mean_prediction, challenger.mean_prediction, report.prediction_difference
                    ),
                ]
            ]
            if not production.labels
            else []
        ),
        ["from the cache", f"{production.cached_share:.1%}", f"{challenger.cached_share:.1%}", "", ""],
        *latency_rows(production.latency_ms, challenger.latency_ms),
    ]


def _pair(production: float | None, challenger: float | None, found: Difference | None) -> list[str]:
    return [figure(production), figure(challenger), *difference_cells(found)]


def difference_cells(found: Difference | None) -> list[str]:
    if found is None:
        return ["-", "-"]
    if found.low is None or found.high is None:
        return [f"{found.estimate:+.4g}", "-"]
    return [f"{found.estimate:+.4g}", f"{found.low:+.4g} … {found.high:+.4g}"]


def latency_rows(production: Latency | None, challenger: Latency | None) -> list[list[str]]:
    if production is None or challenger is None:
        return []
    pairs = ((name, getattr(production, name), getattr(challenger, name)) for name in ("p50", "p95", "p99"))
    return [
        [f"latency {name}, ms", figure(ours), figure(theirs), f"{theirs - ours:+.4g}", ""]
        for name, ours, theirs in pairs
    ]


def _labels(report: AbReport) -> list[str]:
    assert report.production is not None
    assert report.challenger is not None
    arms = (report.production, report.challenger)
    names = sorted({name for arm in arms for name in arm.labels})
    if not names:
        return []
    shares = [[f"{arm.labels.get(name, 0) / arm.rows:.1%}" for arm in arms] for name in names]
    rows = [[name, *share] for name, share in zip(names, shares, strict=True)]
    return ["", *table([["answer", "production", "challenger"], *rows])]
