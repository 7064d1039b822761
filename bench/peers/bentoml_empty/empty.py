"""The empty BentoML service that Slipway's cold start is compared with: no model, one API that answers a word."""

import bentoml


@bentoml.service(workers=1)
class Empty:
    @bentoml.api
    def predict(self) -> str:
        return "ok"
