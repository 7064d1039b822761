"""Where there is no room for another connection, those that ask nothing make it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from serving.connections.ends import End
from serving.connections.house import TOLD, ConnectionLimits, House
from serving.metrics import Metrics

MOST = 20


class Client:
    """A connection that records what is done to it. `rank` None: it waits for an answer."""

    def __init__(self, house: House, rank: tuple[bool, float] | None) -> None:
        self._house, self.idle_rank = house, rank
        self.ends: list[End] = []
        self.was_refused = False
        house.enter(self)

    def look(self, now: float) -> None:
        raise AssertionError("nobody looks around here")

    def leave(self, end: End) -> None:
        self.ends.append(end)
        self._house.left(self)

    def refuse_entry(self) -> None:
        self.was_refused = True


def house() -> House:
    limits = ConnectionLimits(most=MOST, header_bytes=4096, seconds=5.0)
    return House(limits, Metrics(CollectorRegistry()))


def test_slow_heads_go_before_pauses_and_the_oldest_before_others() -> None:
    full = house()
    pausing = [Client(full, (True, float(age))) for age in range(10)]
    asking_nothing = [Client(full, (False, float(age))) for age in range(10)]
    newcomer = Client(full, (False, 99.0))
    gone = [client for client in (*pausing, *asking_nothing, newcomer) if client.ends]
    assert gone == asking_nothing[: len(gone)]
    assert {end for client in gone for end in client.ends} == {End.MADE_ROOM}
    assert 0 < len(gone) < 10
    assert not newcomer.was_refused


def test_whoever_waits_for_an_answer_stays_and_the_newcomer_is_told() -> None:
    full = house()
    busy = [Client(full, None) for _ in range(MOST)]
    newcomer = Client(full, (False, 99.0))
    assert not any(client.ends for client in busy)
    assert newcomer.was_refused


def test_a_crowd_of_newcomers_is_not_even_told() -> None:
    full = house()
    for _ in range(MOST + TOLD):
        Client(full, None)
    last = Client(full, (False, 99.0))
    assert (last.was_refused, last.ends) == (False, [End.NO_ROOM])
