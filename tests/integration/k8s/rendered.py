"""A rendered overlay, as `preflight` is given one."""

from __future__ import annotations

from k8s.dev_secret import SERVICE
from tests.fakes.api_server import shapes, surroundings

Json = shapes.Json


def overlay() -> dict[str, Json]:
    """A rendered overlay, by the name of each object's kind."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "slipway", "namespace": shapes.NAMESPACE},
        "spec": {
            "template": {
                "spec": {
                    "imagePullSecrets": [{"name": "registry"}],
                    "initContainers": [
                        {
                            "name": "agent",
                            "restartPolicy": "Always",
                            "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}},
                        }
                    ],
                    "containers": [
                        {"name": "slipway", "resources": {"requests": {"cpu": "1", "memory": "768Mi"}}}
                    ],
                    "volumes": [
                        {"name": "secrets", "secret": {"secretName": SERVICE}},
                        {"name": "registry", "secret": {"secretName": "slipway-registry", "optional": True}},
                    ],
                }
            }
        },
    }
    autoscaler = surroundings.autoscaler()
    del autoscaler["status"]
    autoscaler["spec"]["metrics"] = [{"type": "ContainerResource", "containerResource": {"name": "cpu"}}]
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "postgres", "namespace": shapes.NAMESPACE},
        "spec": {"accessModes": ["ReadWriteOnce"]},
    }
    found = (deployment, autoscaler, claim, surroundings.monitor(), surroundings.service())
    return {str(item["kind"]): item for item in found}
