"""What BentoML's parent process does with signals."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from circus.exc import ConflictError

from serving.lifecycle.parent import attentive_handler


class Loop:
    """Runs callbacks from signals at once, and keeps what is for later."""

    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def add_callback_from_signal(self, call: Callable[[], None]) -> None:
        call()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.later.append(call)


class Supervisor:
    """A controller with its arbiter, which is busy so many times."""

    def __init__(self, busy: int = 0) -> None:
        self.loop, self.arbiter = Loop(), self
        self.busy, self.looks, self.asked = busy, 0, 0

    def manage_watchers(self) -> None:
        self.looks += 1
        if self.looks <= self.busy:
            raise ConflictError("arbiter is already running start_watchers command")

    def dispatch(self, job: Any) -> None:
        self.asked += 1


@pytest.fixture
def handled() -> Iterator[Callable[[Supervisor], Any]]:
    made: list[Any] = []

    def handler_of(supervisor: Supervisor) -> Any:
        made.append(attentive_handler()(supervisor))
        return made[-1]

    yield handler_of
    for each in reversed(made):
        each.stop()


def test_a_worker_that_ends_is_looked_after_at_once(handled: Callable[[Supervisor], Any]) -> None:
    supervisor = Supervisor()
    handled(supervisor)
    signal.raise_signal(signal.SIGCHLD)
    assert (supervisor.looks, supervisor.loop.later) == (1, [])


def test_a_supervisor_that_is_at_something_else_looks_again(handled: Callable[[Supervisor], Any]) -> None:
    supervisor = Supervisor(busy=1)
    handled(supervisor)
    signal.raise_signal(signal.SIGCHLD)
    (again,) = supervisor.loop.later
    again()
    assert (supervisor.looks, len(supervisor.loop.later)) == (2, 1)


def test_a_request_to_end_is_repeated_until_the_loop_ends(handled: Callable[[Supervisor], Any]) -> None:
    supervisor = Supervisor()
    handled(supervisor)
    signal.raise_signal(signal.SIGTERM)
    supervisor.loop.later.pop()()
    assert (supervisor.asked, len(supervisor.loop.later)) == (2, 1)
