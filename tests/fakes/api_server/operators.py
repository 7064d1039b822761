"""Objects that operators keep: an Argo Rollout and a KServe InferenceService, as their controllers show them."""

from __future__ import annotations

from tests.fakes.api_server.shapes import NAME, NAMESPACE, SELECTOR, Json, condition


def rollout(phase: str, message: str = "", *, generation: int = 1) -> Json:
    """Argo's: the selector is in the status, the observed generation is text."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "generation": generation},
        "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}},
        "status": {
            "observedGeneration": str(generation),
            "phase": phase,
            "message": message,
            "replicas": 2,
            "selector": ",".join(f"{name}={value}" for name, value in SELECTOR.items()),
        },
    }


def inference_service(ready: str, *, reason: str = "", message: str = "") -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "generation": 1},
        "spec": {"predictor": {"minReplicas": 2}},
        "status": {
            "observedGeneration": 1,
            "url": "http://slipway-slipway-kserve.example",
            "conditions": [
                condition("PredictorReady", ready, reason, message),
                condition("Ready", ready, reason, message),
            ],
        },
    }
