"""Proving the prediction log: what the service says it answered, and ids that a client kept, against the rows in SQL."""

from __future__ import annotations

import msgspec

from bench.client import post
from bench.entrants import Entrant
from bench.errors import BenchError
from bench.prediction_log import answered_predictions
from bench.results import LogCheck

CHECKED_IDS = 500


def check_log(slipway: Entrant) -> LogCheck:
    """Sends requests whose ids are kept, waits for the backlog, and compares ids and counts with SQL."""
    assert slipway.log is not None
    ids = []
    for _ in range(CHECKED_IDS):
        answer = post(slipway.start.hits)
        if answer.status != 200:
            raise BenchError(f"slipway answered {answer.status} while ids were collected")
        ids.append(msgspec.json.decode(answer.body)["prediction_id"])
    answered = answered_predictions(slipway.start.hits.port)
    slipway.log.wait_until_shipped(at_least=answered)
    return LogCheck(
        answered=answered,
        rows=slipway.log.rows(),
        ids_sent=len(ids),
        ids_found_once=slipway.log.found_once(ids),
    )
