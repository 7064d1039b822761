"""The registry holds versions that must not serve, and then goes away in every manner: the old version answers throughout."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import CARD, MODEL
from tests.bad_servables import (
    deep_tree,
    endless_loop,
    flip,
    huge_constant,
    pickled_canary,
    redigested,
    with_graph,
)
from tests.e2e.load import Load
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.faults.flips import CLIENTS, PAUSE_SECONDS, row, statuses
from tests.faults.followed import Followed
from tests.faults.scenario import Finding, Pace, Scenario, Verdict
from tests.faults.stand import Stand
from tests.model_signing_keys import new_pair
from tests.tiny_servables import write_tiny

TOLD_SECONDS = 90.0  # a graph that never answers is given up after a minute
SWITCH_SECONDS = 10.0
POLLS_SECONDS = 1.5  # five polls of these services

Make = Callable[[Followed, Path], str]


def _unsigned(followed: Followed, folder: Path) -> str:
    return followed.register(folder, write_tiny(IRIS, folder, bias=1.0), signed=False)


def _strangers(followed: Followed, folder: Path) -> str:
    digest = write_tiny(IRIS, folder, bias=1.0)
    new_pair(folder.with_name("stranger")).sign(folder, str(len(followed.runs) + 1))
    return followed.register(folder, digest, signed=False)


def _of_another_version(followed: Followed, folder: Path) -> str:
    digest = write_tiny(IRIS, folder, bias=1.0)
    followed.keys.sign(folder, "1")
    return followed.register(folder, digest, signed=False)


def _wrong_digest(followed: Followed, folder: Path) -> str:
    write_tiny(IRIS, folder, bias=1.0)
    return followed.register(folder, "sha256:" + "0" * 64)


def _flipped(followed: Followed, folder: Path) -> str:
    digest = write_tiny(IRIS, folder, bias=1.0)
    number = str(len(followed.runs) + 1)
    followed.keys.sign(folder, number)
    flip(folder, 8 * 100)
    return followed.register(folder, digest, signed=False)


def _truncated(followed: Followed, folder: Path) -> str:
    digest = write_tiny(IRIS, folder, bias=1.0)
    followed.keys.sign(folder, str(len(followed.runs) + 1))
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:100])
    return followed.register(folder, digest, signed=False)


def _too_many(followed: Followed, folder: Path) -> str:
    digest = write_tiny(IRIS, folder, bias=1.0)
    followed.keys.sign(folder, str(len(followed.runs) + 1))
    (folder / "model.pkl").write_bytes(pickled_canary(followed.folder / "canary"))
    return followed.register(folder, digest, signed=False)


def _pickle(followed: Followed, folder: Path) -> str:
    write_tiny(IRIS, folder, bias=1.0)
    for name in (MODEL, CARD):
        (folder / name).write_bytes(pickled_canary(followed.folder / "canary"))
    return followed.register(folder, redigested(folder))


def _graph(graph: Callable[[], bytes]) -> Make:
    return lambda followed, folder: followed.register(folder, with_graph(folder, graph()))


def _contract(**changes: object) -> Make:
    return lambda followed, folder: followed.register(folder, write_tiny(IRIS, folder, **changes))  # type: ignore[arg-type]


SHORT_BAD: dict[str, tuple[Make, str]] = {
    "unsigned": (_unsigned, "not signed"),
    "crashes": (_graph(deep_tree), "SIGSEGV"),
    "flipped bit": (_flipped, "refused"),
}
BAD = SHORT_BAD | {
    "stranger's": (_strangers, "another key"),
    "another version's signature": (_of_another_version, f"{IRIS.registry_name}@1"),
    "wrong digest": (_wrong_digest, "registry recorded"),
    "truncated": (_truncated, "refused"),
    "a file too many": (_too_many, "exactly the files"),
    "pickle": (_pickle, "graph cannot be loaded"),
    "all memory": (_graph(huge_constant), "refused"),
    "never answers": (_graph(endless_loop), "within 60 s"),
    "another schema": (_contract(schema_digest="of another image"), "request schema"),
    "golden rows": (_contract(golden_outputs=[[0.2, 0.3, 0.5]] * len(IRIS.examples)), "golden rows"),
}


class Tried(NamedTuple):
    """`untold` are the kinds of which nobody was told why they do not serve. `asked` counts questions for a graph, `again`
    those after its refusal.
    """

    untold: list[str]
    asked: int
    again: int


def bad_versions(stand: Stand, pace: Pace) -> Finding:
    """A registry that answers, with things that must not serve, and then one that does not."""
    with Followed() as followed:
        old = followed.good()
        followed.point(old)
        service = followed.service("pod")
        load = Load(service.api_port, service.token(), row, pause_seconds=PAUSE_SECONDS, clients=CLIENTS)
        with load:
            tried = _try_all(followed, service, BAD if pace.judged else SHORT_BAD)
            served = {answer.body["model_version"] for answer in load.answers}
            refusals = _refusals(service)
            _go_away(followed, pace)
            late = _come_back(followed, service)
            again = _refusals(service) - refusals
        return _finding(followed, load, tried=tried, others=served - {old}, late=late, again=again)


def _try_all(followed: Followed, service: RunningService, kinds: dict[str, tuple[Make, str]]) -> Tried:
    untold, before, again = [], followed.proxy.count, 0
    for number, (kind, (make, reason)) in enumerate(kinds.items()):
        version = make(followed, followed.folder / f"bad-{number}")
        followed.point(version)
        if not _told(service, f"version {version} refused", reason):
            untold.append(kind)
        told = followed.proxy.count
        time.sleep(POLLS_SECONDS)
        again += followed.proxy.count - told
    return Tried(untold, followed.proxy.count - before - again, again)


def _told(service: RunningService, *texts: str) -> bool:
    headers = {"authorization": f"Bearer {service.token()}"}
    give_up_at = time.monotonic() + TOLD_SECONDS
    while time.monotonic() < give_up_at:
        answer = httpx.get(f"{service.url}/models", headers=headers, timeout=10)
        if answer.status_code == 200 and all(text in answer.text for text in texts):
            return True
        time.sleep(0.1)
    return False


def _refusals(service: RunningService) -> float:
    return total(service.agent_metrics_port, "slipway_model_versions_refused_total", model="iris")


def _go_away(followed: Followed, pace: Pace) -> None:
    proxy = followed.proxy
    for breaks in (
        proxy.down,
        proxy.reset,
        proxy.blackhole,
        lambda: proxy.latency(3.0),
        lambda: proxy.slow(64),
    ):
        breaks()
        time.sleep(pace.fault / (1 if pace.judged else 5))
    proxy.passes()


def _come_back(followed: Followed, service: RunningService) -> float:
    """How long it takes from then on to a version that may serve."""
    new = followed.good()
    begin = time.monotonic()
    followed.point(new)
    while time.monotonic() - begin < 60:
        if total(service.metrics_port, "slipway_model_info", model="iris", version=new) > 0:
            break
        time.sleep(0.1)
    return time.monotonic() - begin


def _finding(
    followed: Followed, load: Load, *, tried: Tried, others: set[str], late: float, again: float
) -> Finding:
    failed, wrong = len(load.refusals) + len(load.unanswered), followed.wrong(load.answers)
    canary = (followed.folder / "canary").exists()
    return Finding(
        scenario="bad-versions",
        requests=len(load.answers) + failed,
        failures=statuses([load]),
        acknowledged=len(load.answers),
        verdicts=(
            Verdict(bar="0 failed predictions", seen=str(failed), holds=failed == 0),
            Verdict(bar="every answer is its version's", seen=f"{wrong} are not", holds=wrong == 0),
            Verdict(bar="only the old version answers", seen=str(others or "so it was"), holds=not others),
            Verdict(bar="`/models` says why", seen=str(tried.untold or "of all"), holds=not tried.untold),
            Verdict(bar="no payload ran", seen=str(canary), holds=not canary),
            Verdict(
                bar="what was refused is not fetched at every poll",
                seen=f"asked for graphs {tried.asked} times, then {tried.again} more",
                holds=tried.asked > 0 and tried.again == 0,
            ),
            Verdict(bar="each refusal is told once", seen=f"{again:.0f} again", holds=again == 0),
            Verdict(
                bar=f"a good version serves within {SWITCH_SECONDS:.0f} s of the registry's return",
                seen=f"{late:.1f} s",
                holds=late <= SWITCH_SECONDS,
                timing=True,
            ),
            Verdict(bar="and it does serve", seen=f"{late:.1f} s", holds=late < 60),
        ),
    )


SCENARIOS = (
    Scenario(
        name="bad-versions",
        dependency="registry",
        done="the alias names thirteen versions that must not serve; then the registry is down, resets, hangs, is slow",
        behaviour="the old version answers, `/models` says why, nothing is retried in a loop",
        runbook="SlipwayModelRefused.md",
        run=bad_versions,
    ),
)
