"""BentoML as its documentation shows it: `@bentoml.api`, one row per call."""

import bentoml
import peer_model
from pydantic import BaseModel, create_model

Row = create_model("Row", **{name: (kind, ...) for name, kind in peer_model.column_types().items()})


class Answer(BaseModel):
    prediction: float


@bentoml.service(workers=1)
class Predictor:
    def __init__(self) -> None:
        self.model = peer_model.load()

    @bentoml.api
    def predict(self, row: Row) -> Answer:
        return Answer(prediction=float(self.model.predict(peer_model.frame([row.model_dump()]))[0]))
