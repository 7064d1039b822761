"""BentoML with adaptive batching at its default limits: concurrent rows reach the model in one call."""

import bentoml
import peer_model
from pydantic import create_model

Row = create_model("Row", **{name: (kind, ...) for name, kind in peer_model.column_types().items()})


@bentoml.service(workers=1)
class Predictor:
    def __init__(self) -> None:
        self.model = peer_model.load()

    @bentoml.api(batchable=True)
    def predict(self, rows: list[Row]) -> list[float]:
        return self.model.predict(peer_model.frame([row.model_dump() for row in rows])).tolist()
