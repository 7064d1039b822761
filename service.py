"""Declares the BentoML service: `bentoml serve service:Slipway`. Everything it does is in `serving`."""

from __future__ import annotations

import bentoml

from serving.bento import SlipwayService, with_typed_apis


@bentoml.service(  # type: ignore[operator]  # mypy takes it for the submodule of the same name
    name="slipway",
    service_class=SlipwayService,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    traffic={"timeout": 60},
)
@with_typed_apis
class Slipway:
    """Predictions of the catalog's models, authenticated, cached, logged and measured."""
