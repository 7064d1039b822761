"""SIGTERM, as every orchestrator ends a replica: what was asked is answered, and what was answered is logged."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.e2e.load import Load
from tests.e2e.logged_rows import logged
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until
from tests.faults.balancer import Balancer
from tests.faults.kept import seconds_to_empty
from tests.faults.scenario import Finding, Pace, Scenario, Verdict
from tests.faults.stand import FIXED_LIMIT, Stand

CLIENTS = 32
TIMES = 20
GRACE_SECONDS = 60.0  # terminationGracePeriodSeconds of the manifests
PRE_STOP_SECONDS, LAG_SECONDS = 10.0, 2.0  # their preStop, and how late a balancer may notice
SHORT_TIMES, SHORT_PRE_STOP_SECONDS, SHORT_LAG_SECONDS = 1, 1.2, 0.4
NOTICED_SECONDS = 0.5  # a look of the balancer's, and its probe
SLACK_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
MOST_RATE = 300.0  # all of this runs beside one replica that starts
STUCK_DRAIN_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one replica went."""

    code: int
    seconds: float  # since its preStop hook began


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two replicas over one database, and what stands before them."""

    replicas: tuple[RunningService, RunningService]
    balancer: Balancer
    database_url: str


@contextlib.contextmanager
def _pair(stand: Stand, *, lag: float) -> Iterator[Pair]:
    replicas = (stand.service, stand.another())
    with Balancer([each.api_port for each in replicas], lag=lag) as balancer:
        pair = Pair(replicas=replicas, balancer=balancer, database_url=stand.database_url)
        _wait_until_all_are_chosen(pair)
        yield pair


def _drained(stand: Stand, pace: Pace) -> Finding:
    times, wait = (TIMES, PRE_STOP_SECONDS) if pace.judged else (SHORT_TIMES, SHORT_PRE_STOP_SECONDS)
    return _end_in_turn(stand, pace, times=times, pre_stop=wait)


def _alone(stand: Stand, pace: Pace) -> Finding:
    return _end_in_turn(stand, pace, times=2 if pace.judged else 1, pre_stop=0.0)


def _end_in_turn(stand: Stand, pace: Pace, *, times: int, pre_stop: float) -> Finding:
    """Ends and starts one replica after the other under load; without a `pre_stop` nobody is told before SIGTERM."""
    lag = LAG_SECONDS if pace.judged else SHORT_LAG_SECONDS
    with _pair(stand, lag=lag) as pair:
        token = stand.service.token()
        pause = CLIENTS / min(pace.rate, MOST_RATE)
        with Load(pair.balancer.port, token, iris_row, pause_seconds=pause, clients=CLIENTS) as load:
            ended = [_end_one(pair, number % 2, pre_stop) for number in range(times)]
            time.sleep(1.0)
        for replica in pair.replicas:
            seconds_to_empty(replica, patience=PATIENCE_SECONDS)
        name = "sigterm-drained" if pre_stop else "sigterm-alone"
        still_sent = 0.0 if pre_stop else CLIENTS + CLIENTS / pause * (lag + NOTICED_SECONDS)
        return _finding(name, load, ended, pair.database_url, most_cut=still_sent * times)


def _end_one(pair: Pair, number: int, pre_stop: float) -> Ended:
    """As the kubelet does it: the preStop hook, then SIGTERM; and another in its place."""
    replica, begin = pair.replicas[number], time.monotonic()
    if pre_stop:
        replica.drain_file.touch()
        time.sleep(pre_stop)
    ended = Ended(code=replica.stop(), seconds=time.monotonic() - begin)
    replica.start()
    replica.wait_until_ready()
    _wait_until_all_are_chosen(pair)
    return ended


def _wait_until_all_are_chosen(pair: Pair) -> None:
    pods = pair.balancer.pods
    until(lambda: all(pod.chosen for pod in pods), seconds=PATIENCE_SECONDS, what="both replicas are chosen")


class Stuck:
    """Requests that will never end by themselves: a body that is not sent, an answer that is not read, SQL that hangs."""

    def __init__(self, stand: Stand) -> None:
        self._service = stand.service
        self._login = threading.Thread(target=self._log_in, daemon=True)
        self._sockets = [self._connect() for _ in range(2)]

    def begin(self) -> None:
        head = f"Host: localhost\r\nAuthorization: Bearer {self._service.token()}\r\n"
        never_sent = f"POST /predict/iris HTTP/1.1\r\n{head}Content-Length: 100\r\n\r\n"
        never_read = f"GET /openapi.json HTTP/1.1\r\n{head}\r\n" * 40
        for connection, text in zip(self._sockets, (never_sent, never_read), strict=True):
            connection.sendall(text.encode())
        self._login.start()

    def close(self) -> None:
        for connection in self._sockets:
            connection.close()
        self._login.join(PATIENCE_SECONDS)

    def _connect(self) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self._service.api_port))
        return connection

    def _log_in(self) -> None:
        with (
            contextlib.suppress(Exception),
            self._service.client() as client,
        ):  # it is cut off: that is the point
            client.post("/login", json={"username": "ada", "password": "x" * 12}, timeout=PATIENCE_SECONDS)


def _stuck(stand: Stand, pace: Pace) -> Finding:
    """SQL is away from here on: what is answered stays in the spool, sealed, and the next start ships it."""
    service = stand.service
    with Load(service.api_port, service.token(), iris_row, pause_seconds=0.1, clients=4) as load:
        time.sleep(pace.before)
        stand.sql.blackhole()
        time.sleep(pace.before)
    stuck = Stuck(stand)
    stuck.begin()
    time.sleep(0.5)
    begin = time.monotonic()
    service.terminate()
    time.sleep(0.2)
    service.terminate()  # a second one changes nothing
    code = service.wait()
    ended = Ended(code=code, seconds=PRE_STOP_SECONDS + time.monotonic() - begin)
    unsealed = list(service.spool.glob("*.open"))
    stuck.close()
    stand.sql.passes()
    service.start()
    service.wait_until_ready()
    seconds_to_empty(service, patience=PATIENCE_SECONDS)
    finding = _finding("sigterm-stuck", load, [ended], stand.database_url)
    sealed = Verdict(bar="the spool is sealed", seen=f"{len(unsealed)} open", holds=not unsealed)
    return Finding(**{**vars(finding), "verdicts": (*finding.verdicts, sealed)})


def _finding(
    name: str, load: Load, ended: list[Ended], database_url: str, *, most_cut: float = 0.0
) -> Finding:
    """`most_cut`: one for each connection to a replica that ends, and what the balancer still sends to it."""
    rows, told = logged(database_url), {answer.prediction_id for answer in load.answers}
    lost = len(told - set(rows))
    asked_once = {answer.request_id for answer in load.answers}
    doubled = sum(request in asked_once for name, request in rows.items() if name not in told)
    cut = Counter(f"{status} {json.loads(body)['code']}" for status, body in load.refusals)
    cut["cut off"] = len(load.unanswered)
    slowest = max(each.seconds for each in ended)
    codes = sorted({each.code for each in ended})
    verdicts = [
        Verdict(bar="0 lost records", seen=str(lost), holds=lost == 0),
        Verdict(bar="0 doubled records", seen=str(doubled), holds=doubled == 0),
        Verdict(bar="every exit code is 0", seen=str(codes), holds=codes == [0]),
        Verdict(
            bar=f"gone {SLACK_SECONDS:.0f} s before the grace period is over",
            seen=f"{len(ended)} times, the slowest after {slowest:.1f} s",
            holds=slowest <= GRACE_SECONDS - SLACK_SECONDS,
        ),
    ]
    verdicts.append(
        Verdict(
            bar=f"{most_cut:.0f} reset, refused or truncated at most",
            seen=str(dict(cut)),
            holds=cut.total() <= most_cut,
        )
    )
    return Finding(
        scenario=name,
        requests=len(load.answers) + cut.total(),
        failures={kind: count for kind, count in cut.items() if count},
        acknowledged=len(load.answers),
        lost=lost,
        doubled=doubled,
        verdicts=tuple(verdicts),
    )


SCENARIOS = (
    Scenario(
        name="sigterm-drained",
        dependency="Orchestrator",
        done="the drain file, and SIGTERM after it, to one of two replicas behind a balancer, in turn",
        behaviour="clients are sent to the other replica between two requests; none sees the end of one",
        runbook="SlipwayRestarts.md",
        run=_drained,
        settings=FIXED_LIMIT,
    ),
    Scenario(
        name="sigterm-alone",
        dependency="Orchestrator",
        done="SIGTERM without a word before, to one of two replicas behind a balancer",
        behaviour="what is under way is answered and logged; a request that meets its connection's close is cut off",
        runbook="SlipwayRestarts.md",
        run=_alone,
        settings=FIXED_LIMIT,
    ),
    Scenario(
        name="sigterm-stuck",
        dependency="Orchestrator",
        done="SIGTERM, twice, while SQL hangs, a client never ends its body and another never reads",
        behaviour="the spool is sealed after DRAIN_LIMIT_SECONDS at most, and the process ends in time",
        runbook="SlipwayRestarts.md",
        run=_stuck,
        settings={"DRAIN_LIMIT_SECONDS": str(STUCK_DRAIN_SECONDS), "REQUEST_TIMEOUT_SECONDS": "60"},
        own_stand=True,
    ),
)
