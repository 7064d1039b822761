"""The generated modules are those of the published protocol, made by the compiler that is locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.grpc import open_inference_grpc_pb2 as pb
from serving.grpc.generate import GENERATED, HERE, generate
from serving.grpc.surface import INFERENCE, RPCS


@pytest.mark.parametrize("name", GENERATED)
def test_the_committed_modules_are_what_the_compiler_makes(tmp_path: Path, name: str) -> None:
    generate(tmp_path)
    assert (tmp_path / name).read_text() == (HERE / name).read_text(), "run `python -m serving.grpc.generate`"


def test_every_method_of_the_protocol_is_served() -> None:
    methods = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods
    assert {f"/{INFERENCE}/{each.name}" for each in methods} == {
        path for path, rpc in RPCS.items() if rpc.service == INFERENCE
    }
