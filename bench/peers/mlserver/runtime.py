"""MLServer with a custom runtime: columns in as V2 inputs, one DataFrame, `predict`, V2 outputs."""

import numpy as np
import peer_model
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, PandasCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Predictor(MLModel):
    async def load(self) -> bool:
        self.model = peer_model.load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        frame = self.decode_request(payload, default_codec=PandasCodec)
        values = np.asarray(self.model.predict(frame), dtype=np.float64)
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output(name="prediction", payload=values)]
        )
