"""KServe's Python server: a `Model` whose `predict` takes a V2 request as a DataFrame, as KServe's own examples do."""

import os

import peer_model
from kserve import InferRequest, InferResponse, Model, ModelServer
from kserve.utils.utils import get_predict_response


class Predictor(Model):
    def __init__(self) -> None:
        super().__init__("bench")
        self.model = peer_model.load()
        self.ready = True

    def predict(self, payload: InferRequest, headers=None) -> InferResponse:
        values = self.model.predict(payload.as_dataframe())
        return get_predict_response(payload, values, self.name)


if __name__ == "__main__":
    server = ModelServer(
        http_port=int(os.environ["PORT"]), workers=1, enable_grpc=False, enable_latency_logging=False
    )
    server.start([Predictor()])
