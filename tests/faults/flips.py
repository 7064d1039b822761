"""The alias flips under load: two services of two workers follow it, and every answer is the one of the version it names."""

from __future__ import annotations

import json
import random
import time
from collections import Counter

from tests.e2e.load import Answer, Load
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.faults.followed import Followed
from tests.faults.scenario import Finding, Pace, Scenario, Verdict
from tests.faults.stand import Stand

FLIPS, SHORT_FLIPS = 20, 2
SWITCH_SECONDS = 10.0
P99_LIMIT = 1.5
PAUSE_SECONDS = 0.02
CLIENTS = 8
POOL = 200
WORKERS = 2


def row(chance: random.Random) -> tuple[str, dict[str, object]]:
    """One of a limited number, so that caches have something to answer."""
    return iris_row(random.Random(chance.randrange(POOL)))


def flips(stand: Stand, pace: Pace) -> Finding:
    with Followed() as followed:
        versions = [followed.good(), followed.good()]
        followed.point(versions[0])
        services = [followed.service(f"pod-{number}", WORKERS=str(WORKERS)) for number in range(2)]
        loads = [_load(service) for service in services]
        switches = []
        with loads[0], loads[1]:
            _wait(loads, versions[0])
            calm = time.monotonic()
            time.sleep(pace.before)
            begun = time.monotonic()
            for number in range(FLIPS if pace.judged else SHORT_FLIPS):
                wanted = versions[(number + 1) % 2]
                followed.point(wanted)
                switches.append(_wait(loads, wanted))
            desired = [_shown(service, "slipway_model_desired", wanted) for service in services]
            loaded = [_shown(service, "slipway_model_info", wanted) for service in services]
            reads = sum(
                total(service.metrics_port, "slipway_model_load_duration_seconds_count", model="iris")
                for service in services
            )
        return _finding(followed, loads, switches, (calm, begun), shown=(desired, loaded), reads=reads)


def _load(service: RunningService) -> Load:
    return Load(service.api_port, service.token(), row, pause_seconds=PAUSE_SECONDS, clients=CLIENTS)


def _shown(service: RunningService, metric: str, version: str) -> float:
    return total(service.metrics_port, metric, model="iris", version=version)


def _wait(loads: list[Load], version: str) -> float:
    """Until each service's last answers, of as many as there are clients, are all of the version; how long that took."""
    begin = time.monotonic()
    starts = [len(load.answers) for load in loads]
    while time.monotonic() - begin < 3 * SWITCH_SECONDS:
        last = [
            load.answers[max(start, len(load.answers) - 4 * CLIENTS) :]
            for load, start in zip(loads, starts, strict=True)
        ]
        if all(
            len(answers) == 4 * CLIENTS and {answer.body["model_version"] for answer in answers} == {version}
            for answers in last
        ):
            return time.monotonic() - begin
        time.sleep(0.05)
    return float("inf")


def statuses(loads: list[Load]) -> dict[str, int]:
    """What was answered instead of a prediction, and how often."""
    refusals = [refusal for load in loads for refusal in load.refusals]
    found = Counter(f"{status} {json.loads(body).get('code', '')}" for status, body in refusals)
    unanswered = sum(len(load.unanswered) for load in loads)
    return {**found, **({"unanswered": unanswered} if unanswered else {})}


def _finding(
    followed: Followed,
    loads: list[Load],
    switches: list[float],
    phases: tuple[float, float],  # since when nothing happened, and since when the alias moved
    *,
    shown: tuple[list[float], list[float]],
    reads: float,
) -> Finding:
    answers = [answer for load in loads for answer in load.answers]
    failed = sum(len(load.refusals) + len(load.unanswered) for load in loads)
    wrong, warm = followed.wrong(answers), 2 * WORKERS * len(loads)
    before, during = _p99_ms(answers, *phases), _p99_ms(answers, phases[1], float("inf"))
    return Finding(
        scenario="alias-flips",
        requests=len(answers) + failed,
        failures=statuses(loads),
        p99_before_ms=before,
        p99_during_ms=during,
        acknowledged=len(answers),
        metrics={"slipway_model_desired": str(shown[0]), "slipway_model_info": str(shown[1])},
        verdicts=(
            Verdict(bar="0 failed predictions", seen=str(failed), holds=failed == 0),
            Verdict(bar="every answer is its version's", seen=f"{wrong} are not", holds=wrong == 0),
            Verdict(
                bar=f"{len(switches)} switches within {SWITCH_SECONDS:.0f} s",
                seen=f"the slowest {max(switches):.1f} s",
                holds=max(switches) <= SWITCH_SECONDS,
                timing=True,
            ),
            Verdict(
                bar=f"p99 ≤ {P99_LIMIT} x before",
                seen=f"{during / before if before else 0:.2f} x",
                holds=during <= P99_LIMIT * before,
                timing=True,
            ),
            Verdict(
                bar="every pod shows what is desired and what is loaded",
                seen=str(shown),
                holds=all(value > 0 for values in shown for value in values),
            ),
            Verdict(
                bar="the version left stays warm: a worker loads each once",
                seen=f"{reads:.0f} loads of {warm}",
                holds=reads <= warm,
            ),
        ),
    )


def _p99_ms(answers: list[Answer], start: float, end: float) -> float:
    """Of those that came in that time."""
    seconds = sorted(answer.seconds for answer in answers if start <= answer.at < end)
    return seconds[int(len(seconds) * 0.99)] * 1000 if seconds else 0.0


SCENARIOS = (
    Scenario(
        name="alias-flips",
        dependency="registry",
        done=f"the alias moves {FLIPS} times between two versions, two services of two workers follow",
        behaviour="no request fails, every answer is right for the version that it names",
        runbook="SlipwayModelVersionSkew.md",
        run=flips,
    ),
)
