"""The spool's disk is full or fails: what is answered is kept or counted as dropped, and `strict` answers nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.faults.bars import Limits
from tests.faults.dependency import Fault, endure
from tests.faults.mischief import SETTINGS, Mischief
from tests.faults.scenario import Finding, Pace, Scenario
from tests.faults.stand import Stand
from tests.faults.watching import Sign

AVAILABLE = dict(SETTINGS)
STRICT = {
    **SETTINGS,
    "SPOOL_DURABILITY": "disk",
    "SPOOL_FULL_POLICY": "strict",
    "SPOOL_HANDOFF_URL": "file://{folder}/handed-over",
    "SPOOL_HANDOFF_POLL_SECONDS": "0.2",
}
UNAVAILABLE = "503 log-unavailable"
LINE = "records not kept"
CONTRACT = {
    "available": "everybody is answered, and exactly the records that are missing are counted",
    "strict": "an answer whose record is not safe is a 503 with `Retry-After`; nothing that was answered is lost",
}


def _records(result: str) -> Sign:
    return Sign(metric="slipway_prediction_log_records_total", labels={"result": result})


def _scenario(
    name: str,
    done: str,
    breaks: Callable[[Mischief], None],
    result: str,
    settings: Mapping[str, str] = STRICT,
) -> Scenario:
    strict, syncs_fail = settings is STRICT, "fails" in name
    fault = Fault(
        breaks=lambda stand: breaks(Mischief(stand.service.folder)),
        mends=lambda stand: Mischief(stand.service.folder).ends(),
        limits=Limits() if strict else Limits(first_second=1.5, during=1.5),
        signs=(_records(result),),
        lines=(LINE,),
        promised=(UNAVAILABLE,) if strict else (),
        dropped=None if strict else _records(result),
        either_way=("log-unavailable",) if syncs_fail else (),  # written, and not known to be safe
        tells_late=syncs_fail,  # the line is written once a minute, and the disk was full a moment ago
    )

    def run(stand: Stand, pace: Pace) -> Finding:
        return endure(name, stand, pace, fault)

    return Scenario(
        name=name,
        dependency="Disk",
        done=done,
        behaviour=CONTRACT["strict" if strict else "available"],
        runbook="SlipwayLogDropping.md",
        run=run,
        settings=settings,
    )


SCENARIOS = (
    _scenario("disk-full", "every write says ENOSPC", Mischief.disk_is_full, "dropped", AVAILABLE),
    _scenario("disk-full-strict", "the same under `strict`", Mischief.disk_is_full, "dropped"),
    _scenario("disk-fails-strict", "every write and sync says EIO", Mischief.disk_fails, "dropped"),
    _scenario("sync-fails-strict", "every sync says EIO", Mischief.sync_fails, "not_synced"),
)
