"""A transformer as a user of KServe writes one: lengths come in millimetres, and the predictor behind it is Slipway."""

from __future__ import annotations

import os
import sys

from kserve import InferInput, InferRequest, Model, ModelServer
from kserve.predictor_config import PredictorConfig


class Millimetres(Model):
    """The row is the same in both protocols; only what it is wrapped in differs."""

    def preprocess(self, payload, headers=None):
        if isinstance(payload, InferRequest):
            inputs = []
            for each in payload.inputs:
                values = each.as_numpy() / 10
                tensor = InferInput(each.name, list(values.shape), "FP64")
                tensor.set_data_from_numpy(values, binary_data=False)
                inputs.append(tensor)
            return InferRequest(payload.model_name, inputs, payload.id)
        return {
            "instances": [{name: value / 10 for name, value in row.items()} for row in payload["instances"]]
        }


if __name__ == "__main__":
    port, protocol = sys.argv[1:]
    predictor = PredictorConfig(os.environ["SLIPWAY_URL"].removeprefix("http://"), protocol)
    model = Millimetres("iris", return_response_headers=True)
    model.ready = True
    server = ModelServer(http_port=int(port), enable_grpc=False, workers=1, predictor_config=predictor)
    server.start([model])
