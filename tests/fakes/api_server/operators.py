"""Objects that operators keep: an Argo Rollout and a KServe InferenceService, with the numbers that their controllers write.

None of these numbers is the object's own generation, but for a Rollout's `observedGeneration`, which is text.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.fakes.api_server import shapes
from tests.fakes.api_server.shapes import NAME, NAMESPACE, SELECTOR, Json, condition

WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
INFERENCE_LABEL = "serving.kserve.io/inferenceservice"
CONFIG_MAP = "slipway-settings-7d8k2"


def rollout(phase: str, message: str = "", *, noted: int = 1, worked_on: int = 1) -> Json:
    """`noted` is the Deployment's generation as the informer has written it down, `worked_on` the one that the status is of."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "generation": 4,
            "annotations": {WORKLOAD_GENERATION: str(noted), "rollout.argoproj.io/revision": "2"},
        },
        "spec": {
            "replicas": 2,
            "workloadRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": NAME,
                "scaleDown": "never",
            },
        },
        "status": {
            "observedGeneration": "4",
            "workloadObservedGeneration": str(worked_on),
            "phase": phase,
            "message": message,
            "replicas": 2,
            "updatedReplicas": 2,
            "availableReplicas": 2,
            "selector": ",".join(f"{name}={value}" for name, value in SELECTOR.items()),
        },
    }


def template_of_rollout(*, generation: int = 1, image: str = shapes.IMAGE) -> Json:
    """The Deployment that a Rollout takes its template from: it has no pods of its own."""
    return shapes.deployment(wanted=0, updated=0, available=0, observed=generation, image=image)


def inference_service(
    ready: str,
    *,
    reason: str = "",
    message: str = "",
    observed: int = 1,
    image: str = shapes.IMAGE,
    config_map: str = CONFIG_MAP,
) -> Json:
    """In Standard mode: `observed` is the Deployment's observed generation, and ready means that the Deployment is available."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "generation": 4},
        "spec": {"predictor": {"minReplicas": 2, "containers": [_predictor(image, config_map)]}},
        "status": {
            "observedGeneration": observed,
            "url": "http://slipway-slipway-kserve.example",
            "conditions": [
                condition("PredictorReady", ready, reason, message),
                condition("Ready", ready, reason, message),
            ],
        },
    }


def kept_deployment(*, image: str = shapes.IMAGE, config_map: str = CONFIG_MAP, **counts: Any) -> Json:
    """What KServe makes of an InferenceService: with its containers, to which it adds, and a name and labels of its own."""
    made = copy.deepcopy(shapes.deployment(**counts))
    made["metadata"]["name"] = f"{NAME}-predictor"
    made["metadata"]["labels"] = {
        INFERENCE_LABEL: NAME,
        "component": "predictor",
        "app": f"isvc.{NAME}-predictor",
    }
    made["spec"]["selector"] = {"matchLabels": {"app": f"isvc.{NAME}-predictor"}}
    made["spec"]["template"]["metadata"]["labels"] = dict(made["metadata"]["labels"])
    made["spec"]["template"]["spec"]["containers"] = [_predictor(image, config_map)]
    return made


def _predictor(image: str, config_map: str) -> Json:
    return {
        "name": "kserve-container",
        "image": image,
        "args": ["serving"],
        "envFrom": [{"configMapRef": {"name": config_map}}],
        "ports": [{"name": "http", "containerPort": 8000}],
    }
