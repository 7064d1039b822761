"""A BentoML service that is composed with a served Slipway: it asks a typed API with the token of its environment."""

from __future__ import annotations

import os

import bentoml


@bentoml.service(name="shop", metrics={"enabled": False})
class Shop:
    """BentoML sends `BENTO_CLOUD_API_KEY` as the bearer token of what it depends on by address."""

    slipway = bentoml.depends(url=os.environ["SLIPWAY_URL"])

    @bentoml.api
    def name_of(self, flower: dict) -> str:
        return self.slipway.to_sync.predict_iris(flower)["prediction"]
