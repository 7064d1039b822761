"""A few thousand hostile requests at a served process; `make fuzz` sends a hundred thousand."""

from __future__ import annotations

from tests.e2e.running_service import RunningService
from tests.hostile.answers import all_answers
from tests.hostile.fuzz import fuzz
from tests.hostile.judge import verdict
from tests.hostile.malformed import CORPUS
from tests.hostile.wire import burst

REQUESTS = 1_500
SEED = 20260102
# What is no error at all, or is waited for: an unfinished request gets its 408 after the deadline.
ANSWERED = {
    "HTTP/0.9": 200,
    "HTTP/1.0": 200,
    "absolute-form": 200,
    "absolute-form with a password": 200,
    "a header of a megabyte": 431,
    "a first header of a megabyte": 431,
    "ten thousand headers": 431,
    "an address of a megabyte": 414,
    "an unfinished head": 408,
    "a TLS hello": 400,
    "the preface of HTTP/2": 400,
    "an upgrade to WebSocket": 200,
    "chunks and a length": 400,
    "two lengths": 400,
    "obs-fold": 400,
    "authority-form": 400,
}


def test_nothing_that_is_sent_breaks_the_service(attacked: RunningService) -> None:
    report = fuzz(attacked, requests=REQUESTS, first_seed=SEED, tell=lambda _: None)
    assert not report.faults, str(report)
    assert report.requests >= REQUESTS


def test_bytes_that_are_no_request_are_refused_with_problems(attacked: RunningService) -> None:
    said = burst(attacked.api_port, list(CORPUS.values()), quiet=4)
    for name, each in zip(CORPUS, said, strict=True):
        answers = all_answers(each.data)
        assert [verdict(answer) for answer in answers] == [[]] * len(answers), name
        if name in ANSWERED:
            assert answers[0].status == ANSWERED[name], (name, answers[0])


# By name: the statuses of all answers on the connection, in their order.
IN_TURN = {
    "a good one and a bad one": [200],
    "a good one and bad chunks": [200, 400],
    "a hundred at once": [200] * 33,
    "nothing but line ends": [],
}


def test_answers_that_are_owed_leave_before_a_refusal(attacked: RunningService) -> None:
    said = burst(attacked.api_port, [CORPUS[name] for name in IN_TURN], quiet=4)
    for (name, statuses), each in zip(IN_TURN.items(), said, strict=True):
        assert [answer.status for answer in all_answers(each.data)] == statuses, name
        assert each.ended, name
