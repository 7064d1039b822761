"""What reads requests, asked in this process and without a server: whatever comes, rows or a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from hypothesis import strategies as st

from modelkit.definition import ModelDefinition
from modelkit.errors import SlipwayError
from serving.grpc.open_inference_grpc_pb2 import ModelInferRequest
from serving.http.oip_body import read_request
from serving.http.request_rows import Limits, read_rows
from serving.http.truths import read_truths
from serving.loaded_model import LoadedModel
from serving.oip.raw import read_raw
from serving.oip.reading import rows_of
from serving.oip.tensors import NUMERIC
from serving.turns import Turns
from tests.bodies import bodies, damaged
from tests.hostile.fuzz import drawn
from tests.hostile.json_mischief import mangled
from tests.hostile.messages import deep
from tests.oip_tensors import json_inputs
from tests.tiny_servables import loaded_tiny

LIMITS = Limits(max_json_depth=32, max_instances=100)
READERS = 5
DATATYPES = ("BYTES", *sorted(NUMERIC), "FP128", "")


def break_readers(definition: ModelDefinition, folder: Path, *, examples: int, first_seed: int) -> int:
    """How many bodies were read. Raises what a reader raised that is no refusal."""
    model = loaded_tiny(definition, folder)
    read = 0
    for number, (strategy, reader) in enumerate(_readers(definition, model)):
        drawn(strategy, _or_refused(reader), examples, first_seed + number)
        read += examples
    return read


def _or_refused(reader: Callable[[Any], object]) -> Callable[[Any], None]:
    def read(sent: Any) -> None:
        try:
            reader(sent)
        except SlipwayError as error:
            if error.status >= 500:
                raise

    return read


def _readers(definition: ModelDefinition, model: LoadedModel) -> list[tuple[Any, Callable[[Any], object]]]:
    rows = [dict(example) for example in definition.examples]
    request = {"inputs": json_inputs(definition, rows), "id": "1", "outputs": [], "parameters": {}}
    item = {"feedback": [{"prediction_id": "0" * 26, "actual": 1.5}], "on_error": "skip"}
    one = st.one_of(bodies(definition.request, odd=True), damaged(definition.request), deep())
    raw = st.tuples(
        st.sampled_from(DATATYPES),
        st.lists(st.integers(-1, 5) | st.sampled_from([2**31, 2**63]), max_size=3).map(tuple),
        st.binary(max_size=64),
    )
    return [
        (one | st.lists(one, max_size=3).map(_together), lambda body: read_rows(model.reader, body, LIMITS)),
        (mangled(request), lambda body: rows_of(model, read_request(body, {}, 32)[1], LIMITS, Turns())),
        (mangled(item), lambda body: read_truths(body, LIMITS)),
        (raw, lambda sent: read_raw("x", *sent)),
        (st.binary(max_size=200), _parse_protobuf),
    ]


def _together(rows: list[bytes]) -> bytes:
    return b'{"instances": [%b], "on_error": %b}' % (b", ".join(rows), json.dumps("skip").encode())


def _parse_protobuf(raw: bytes) -> None:
    try:
        ModelInferRequest.FromString(raw)
    except DecodeError:
        return
