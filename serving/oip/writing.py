"""From answers to output tensors: one column per output, in the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from serving.inference import Answered
from serving.oip.metadata import LOWER, PREDICTION, PREDICTION_ID, PROBABILITIES, UPPER, outputs_by_name
from serving.oip.tensors import Tensor
from serving.predictor import Answer

_COLUMNS: dict[str, Callable[[list[Answer]], list[Any]]] = {
    PREDICTION: lambda answers: [answer.outcome.prediction for answer in answers],
    LOWER: lambda answers: [answer.outcome.lower for answer in answers],
    UPPER: lambda answers: [answer.outcome.upper for answer in answers],
    PREDICTION_ID: lambda answers: [answer.prediction_id for answer in answers],
    PROBABILITIES: lambda answers: [
        share for answer in answers for share in (answer.outcome.probabilities or {}).values()
    ],
}


def outputs_of(answered: Answered, wanted: Sequence[str] | None) -> list[Tensor]:
    """The tensors that were asked for, in that order, or all of them; flat lists. The names were checked before."""
    answers, known = answered.answers, outputs_by_name(answered.model)
    rows = len(answers)
    return [
        Tensor(name, known[name].datatype, (rows, *known[name].shape[1:]), _COLUMNS[name](answers))
        for name in (wanted or known)
    ]
