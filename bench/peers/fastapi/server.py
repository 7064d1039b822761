"""FastAPI with nothing on, written the usual way: a pydantic body, a sync endpoint, a DataFrame, `predict`."""

import peer_model
from fastapi import FastAPI
from pydantic import BaseModel, create_model

model = peer_model.load()
Row = create_model("Row", **{name: (kind, ...) for name, kind in peer_model.column_types().items()})


class Answer(BaseModel):
    prediction: float


app = FastAPI()


@app.post("/predict")
def predict(row: Row) -> Answer:
    frame = peer_model.frame([row.model_dump()])
    return Answer(prediction=float(model.predict(frame)[0]))
