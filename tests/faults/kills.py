"""`kill -9` at random points under sixteen clients; what was answered is in SQL once, whoever was killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from tests.e2e.load import CLIENTS, Load
from tests.e2e.logged_rows import logged, wait_until_shipped
from tests.e2e.processes import is_alive, listeners
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until
from tests.faults.disk import STRICT
from tests.faults.scenario import Finding, Pace, Scenario, Verdict
from tests.faults.stand import FIXED_LIMIT, Stand

SEED = 20220401
AGAIN_SECONDS = 60.0
PAUSE_SECONDS = 0.01
LONGEST_POINT_SECONDS = 1.0
RESTART_SECONDS = 5.0
DISK_SHARE = 4
MAY_SAY = ('"model-not-ready"', '"overloaded"')


def kill_worker(service: RunningService) -> None:
    """Outside containers BentoML's parent starts another on the socket that it kept; it looks every ten seconds."""
    (worker,) = service.workers
    service.kill(worker)
    until(lambda: service.workers not in ([], [worker]), seconds=AGAIN_SECONDS, what="another worker")


def kill_agent(service: RunningService) -> None:
    """Nobody waits for the next one: requests do not either."""
    service.kill(service.wait_for_agent())


def kill_parent(service: RunningService) -> None:
    """The worker must follow by itself, or it would keep the port from the service that is started at once."""
    orphans = service.left
    service.kill(service.parent)
    service.start()
    until(lambda: not any(map(is_alive, orphans)), seconds=AGAIN_SECONDS, what="orphans end")


def kill_everything(service: RunningService) -> None:
    service.kill(*service.left)
    service.start()


KILLERS: dict[str, Callable[[RunningService], None]] = {
    "everything": kill_everything,
    "agent": kill_agent,
    "parent": kill_parent,
    "worker": kill_worker,
}
# Workers less often, for the ten seconds.
VICTIMS = ("everything", "agent", "parent", "worker", "agent", "parent", "everything")


@dataclass(frozen=True)
class Kill:
    """Who was killed, and how long it took until the service was ready again."""

    victim: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Clients' answers against the table."""

    lost: int
    doubled: int
    foreign: int  # rows of requests that had another answer
    unacknowledged: int  # rows of requests whose answer was cut off


def points(count: int) -> Iterator[tuple[str, float]]:
    """Who is killed, in random order, and after how long a time of answers."""
    chance = random.Random(SEED)
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(count)]
    chance.shuffle(victims)
    for victim in victims:
        yield victim, chance.uniform(0.0, LONGEST_POINT_SECONDS)


def _in_process_mode(stand: Stand, pace: Pace) -> Finding:
    return kill_again_and_again("kills", stand, pace.kills)


def _in_disk_mode(stand: Stand, pace: Pace) -> Finding:
    return kill_again_and_again("kills-disk", stand, max(1, pace.kills // DISK_SHARE))


def kill_again_and_again(name: str, stand: Stand, times: int) -> Finding:
    service, kills = stand.service, []
    with Load(service.api_port, service.token(), iris_row, pause_seconds=PAUSE_SECONDS) as load:
        begin = time.monotonic()
        for victim, seconds in points(times):
            _wait_for_answers(load)
            time.sleep(seconds)
            killed = time.monotonic()
            KILLERS[victim](service)
            service.wait_until_ready()
            kills.append(Kill(victim, time.monotonic() - killed))
            assert listeners(service.api_port) <= {service.parent, *service.workers}
        _wait_for_answers(load)
        lasted = time.monotonic() - begin
    wait_until_shipped(service.spool)
    return _finding(name, load, stand, kills, lasted)


def _finding(name: str, load: Load, stand: Stand, kills: list[Kill], lasted: float) -> Finding:
    rows = logged(stand.database_url)
    counted = _counted(load, {each: asked for each, asked in rows.items() if asked.startswith(load.name)})
    asked = len(load.answers) + len(load.refusals) + len(load.unanswered)
    refused = Counter(str(status) for status, _ in load.refusals)
    return Finding(
        scenario=name,
        requests=asked,
        rate=asked / lasted,
        failures=dict(refused) | {"no answer": len(load.unanswered)},
        acknowledged=len(load.answers),
        lost=counted.lost,
        doubled=counted.doubled,
        metrics={f"restart after killing {victim}": _restarts(kills, victim) for victim in KILLERS},
        verdicts=(*_kept(counted, len(kills)), *_served(load, kills, stand)),
    )


def _kept(counted: Counted, kills: int) -> tuple[Verdict, ...]:
    most = CLIENTS * kills
    beyond = f"{counted.unacknowledged}, of others {counted.foreign}"
    return (
        Verdict(bar="no acknowledged prediction is lost", seen=str(counted.lost), holds=counted.lost == 0),
        Verdict(bar="none is there twice", seen=str(counted.doubled), holds=counted.doubled == 0),
        Verdict(
            bar=f"rows without an answer: at most those in flight at {kills} kills ({most})",
            seen=beyond,
            holds=counted.unacknowledged <= most and not counted.foreign,
        ),
    )


def _served(load: Load, kills: list[Kill], stand: Stand) -> tuple[Verdict, ...]:
    """A worker that has just started says 503 while it loads its models, and knows its limit only after a while."""
    strange = [
        body for status, body in load.refusals if status != 503 or not any(code in body for code in MAY_SAY)
    ]
    corrupt = list(stand.service.spool.glob("*.corrupt"))
    slowest = max((kill.seconds for kill in kills if kill.victim != "worker"), default=0.0)
    return (
        Verdict(
            bar="nobody is refused but while models load, or at the limit",
            seen=str(strange[:3]),
            holds=not strange,
        ),
        Verdict(bar="no segment is damaged", seen=str(len(corrupt)), holds=not corrupt),
        Verdict(
            bar=f"a restart serves within {RESTART_SECONDS:.0f} s",
            seen=f"{slowest:.1f} s",
            holds=slowest < RESTART_SECONDS,
            timing=True,
        ),
    )


def _counted(load: Load, rows: dict[str, str]) -> Counted:
    answered = {answer.prediction_id: answer.request_id for answer in load.answers}
    beyond = Counter(request_id for name, request_id in rows.items() if name not in answered)
    return Counted(
        lost=sum(rows.get(name) != request_id for name, request_id in answered.items()),
        doubled=sum(count > 1 for count in Counter(rows.values()).values()),
        foreign=len(set(beyond) - set(load.unanswered)),
        unacknowledged=sum(beyond.values()),
    )


def _restarts(kills: list[Kill], victim: str) -> str:
    seconds = [kill.seconds for kill in kills if kill.victim == victim]
    return (
        f"{len(seconds)} times, median {median(seconds):.1f} s, at most {max(seconds):.1f} s"
        if seconds
        else "never"
    )


def _wait_for_answers(load: Load) -> None:
    """New ones: since now."""
    before = len(load.answers)
    until(lambda: len(load.answers) > before + CLIENTS, seconds=AGAIN_SECONDS, what="clients get answers")


SCENARIOS = (
    Scenario(
        name="kills-disk",
        dependency="Processes",
        done="the same, a quarter as often, with `SPOOL_DURABILITY=disk` and `SPOOL_FULL_POLICY=strict`",
        behaviour="what was answered is in SQL exactly once; what was cut off may be there, once",
        runbook="SlipwayRestarts.md",
        run=_in_disk_mode,
        settings=STRICT,
    ),
    Scenario(
        name="kills",
        dependency="Processes",
        done="kill -9 of a worker, the agent, the parent or everything, at random points",
        behaviour="what was answered is in SQL exactly once; what was cut off may be there, once",
        runbook="SlipwayRestarts.md",
        run=_in_process_mode,
        settings=FIXED_LIMIT,
    ),
)
