"""What a request of the protocol may ask for and is not done here: refused where it would change the answer.

Other parameters are hints (a priority, a timeout, how a client packs its data) and are left alone, as the protocol says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelkit.errors import FieldError, InvalidRequest
from serving.oip.tensors import Tensor, refused

Parameters = Mapping[str, Any]

BYTES_BEHIND, SHARED_MEMORY = "binary_data_size", "shared_memory_region"
_ELSEWHERE = {
    BYTES_BEHIND: "No bytes of this tensor follow the JSON",
    SHARED_MEMORY: "No memory is shared here: send the elements",
}
CONTENTS_ELSEWHERE = frozenset(_ELSEWHERE)
_OF_OUTPUTS = {
    "classification": "Ask for the output `probabilities`",
    SHARED_MEMORY: "No memory is shared here: outputs come with the answer",
}
_SEQUENCES = ("sequence_id", "sequence_start", "sequence_end")


def refuse_unknown_wishes(parameters: Parameters, outputs: Sequence[tuple[str, Parameters]]) -> None:
    """Raises InvalidRequest. `outputs` are those that are asked for: the name and the parameters of each."""
    errors = [*_of_request(parameters), *_of_outputs(outputs)] if parameters or outputs else []
    if errors:
        raise InvalidRequest("The request asks for what is not done here", errors=errors)


def refuse_contents_elsewhere(place: int, tensor: Tensor) -> None:
    """Raises InvalidRequest where a tensor with elements says that they are somewhere else."""
    for name in _ELSEWHERE if tensor.parameters else ():
        if name in tensor.parameters:  # type: ignore[operator]
            raise refused(f"/inputs/{place}/parameters/{name}", _ELSEWHERE[name])


def _of_request(parameters: Parameters) -> list[FieldError]:
    errors = []
    if parameters.get("on_error", "fail") != "fail":
        detail = "Tensors have one element per row: ask /predict/{model} or /v1 to skip rows"
        errors.append(FieldError(pointer="/parameters/on_error", detail=detail))
    errors += [
        FieldError(pointer=f"/parameters/{name}", detail="Requests do not depend on each other here")
        for name in _SEQUENCES
        if parameters.get(name)
    ]
    return errors


def _of_outputs(outputs: Sequence[tuple[str, Parameters]]) -> list[FieldError]:
    errors, seen = [], set()
    for place, (name, parameters) in enumerate(outputs):
        if name in seen:
            errors.append(FieldError(pointer=f"/outputs/{place}/name", detail="The output is there twice"))
        seen.add(name)
        errors += [
            FieldError(pointer=f"/outputs/{place}/parameters/{wish}", detail=detail)
            for wish, detail in _OF_OUTPUTS.items()
            if wish in parameters
        ]
    return errors
