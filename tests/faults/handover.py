"""A pod ends while SQL is away: what SQL did not take is handed over, nothing is left in its spool, another agent ships it."""

from __future__ import annotations

import time
from pathlib import Path

from tests.e2e.load import Load
from tests.e2e.logged_rows import logged
from tests.e2e.rows import iris_row
from tests.e2e.scraped import total
from tests.faults.disk import STRICT
from tests.faults.kept import PENDING
from tests.faults.scenario import Finding, Pace, Scenario, Verdict
from tests.faults.stand import Stand

CLIENTS, PAUSE_SECONDS = 4, 0.05
PATIENCE_SECONDS = 60.0
ADOPTED = "slipway_handoff_segments_total"


def _hand_over(stand: Stand, pace: Pace) -> Finding:
    service, place = stand.service, stand.service.folder / "handed-over" / "segments"
    with Load(
        service.api_port, service.token(), iris_row, pause_seconds=PAUSE_SECONDS, clients=CLIENTS
    ) as load:
        time.sleep(pace.before)
        stand.sql.down()
        time.sleep(pace.fault)
    code = service.stop()
    left = [path for path in service.spool.glob("*-*") if path.suffix in PENDING]
    handed = _segments(place)
    stand.sql.passes()
    service.start()
    service.wait_until_ready()
    service.wait_for_agent()
    late = _seconds_to_adopt(stand, load, place)
    adopted = total(service.agent_metrics_port, ADOPTED, result="adopted")
    return _finding(
        load,
        stand,
        Verdict(bar="its exit code is 0", seen=str(code), holds=code == 0),
        Verdict(bar="nothing is left in its spool", seen=f"{len(left)} segments", holds=not left),
        Verdict(bar="and something was handed over", seen=f"{handed} segments", holds=handed > 0),
        Verdict(
            bar=f"another agent ships it within {PATIENCE_SECONDS:.0f} s",
            seen=f"{adopted:.0f} adopted in {late:.1f} s",
            holds=adopted == handed and late < PATIENCE_SECONDS,
        ),
    )


def _segments(place: Path) -> int:
    return len(list(place.glob("*.sealed")))


def _seconds_to_adopt(stand: Stand, load: Load, place: Path) -> float:
    begin, told = time.monotonic(), {answer.prediction_id for answer in load.answers}
    while _segments(place) or not told <= logged(stand.database_url).keys():
        if time.monotonic() - begin > PATIENCE_SECONDS:
            break
        time.sleep(0.1)
    return time.monotonic() - begin


def _finding(load: Load, stand: Stand, *verdicts: Verdict) -> Finding:
    rows, told = logged(stand.database_url), {answer.prediction_id for answer in load.answers}
    asked_once = {answer.request_id for answer in load.answers}
    lost = len(told - rows.keys())
    doubled = sum(request in asked_once for name, request in rows.items() if name not in told)
    failed = len(load.refusals) + len(load.unanswered)
    return Finding(
        scenario="handover",
        requests=len(load.answers) + failed,
        failures={"failed": failed} if failed else {},
        acknowledged=len(load.answers),
        lost=lost,
        doubled=doubled,
        verdicts=(
            Verdict(bar="0 failed predictions", seen=str(failed), holds=failed == 0),
            Verdict(bar="0 lost records", seen=str(lost), holds=lost == 0),
            Verdict(bar="0 doubled records", seen=str(doubled), holds=doubled == 0),
            *verdicts,
        ),
    )


SCENARIOS = (
    Scenario(
        name="handover",
        dependency="PostgreSQL",
        done="connections are refused, and the pod ends (SIGTERM) meanwhile",
        behaviour="segments that SQL did not take are handed over, and any other agent ships them, each record once",
        runbook="SlipwayHandoffWaiting.md",
        run=_hand_over,
        settings=STRICT,
    ),
)
