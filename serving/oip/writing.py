"""From answers to output tensors: one column per output, in the order of the rows, and of many rows in slices."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from serving.inference import Answered
from serving.oip.metadata import LOWER, PREDICTION, PREDICTION_ID, PROBABILITIES, UPPER, outputs_by_name
from serving.oip.tensors import Tensor, TensorMetadata
from serving.predictor import Answer
from serving.turns import slices_of

# Half a millisecond at most.
SLICE_ROWS = 512

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
    return [_tensor(known[name], len(answers), _COLUMNS[name](answers)) for name in (wanted or known)]


def outputs_in_slices(
    answered: Answered, wanted: Sequence[str] | None
) -> Generator[None, None, list[Tensor]]:
    """The same for many rows; yields between slices."""
    answers, known = answered.answers, outputs_by_name(answered.model)
    found = []
    for name in wanted or known:
        data: list[Any] = []
        for part in slices_of(len(answers), SLICE_ROWS):
            data += _COLUMNS[name](answers[part])
            yield
        found.append(_tensor(known[name], len(answers), data))
    return found


def _tensor(output: TensorMetadata, rows: int, data: list[Any]) -> Tensor:
    return Tensor(output.name, output.datatype, (rows, *output.shape[1:]), data)
