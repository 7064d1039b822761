"""HTTP: one front ASGI app that owns every path of the service, in front of BentoML's middleware stack."""
