"""The compiled model: an ONNX graph, numbers in, numbers out, on one thread.

One intra-op thread, because then a batch answers bit for bit what its rows answer alone; with two it does not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelkit.errors import CorruptServable

INPUT_NAME = "features"
OUTPUT_NAME = "outputs"


def onnx_runtime() -> Any:
    """The library; the only place that imports it.

    Since 1.29 it reports names and hashes of models to its makers, over the network and through files below HOME, from the
    moment of its import, unless it is told not to before.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


class CompiledModel:
    """One loaded graph. `run` takes float32 (rows, features) and gives float32 (rows, outputs).

    A regressor gives a prediction, or three columns: prediction, lower and upper bound. A classifier gives a probability
    per class.
    """

    def __init__(self, graph: bytes) -> None:
        onnxruntime = onnx_runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise CorruptServable(f"the graph cannot be loaded: {type(error).__name__}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [item.name for item in inputs] != [INPUT_NAME] or [item.name for item in outputs] != [OUTPUT_NAME]:
            raise CorruptServable(f"the graph must map {INPUT_NAME!r} to {OUTPUT_NAME!r}")
        self._outputs = [OUTPUT_NAME]

    @classmethod
    def load(cls, path: Path) -> CompiledModel:
        return cls(path.read_bytes())

    def run(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[Any] = self._session.run(self._outputs, {INPUT_NAME: matrix})[0]
        return output if output.ndim == 2 else output.reshape(len(matrix), -1)
