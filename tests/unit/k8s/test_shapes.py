"""The fake API server's objects are what Kubernetes' own client takes for real ones."""

from __future__ import annotations

import json

import pytest
from kubernetes.client import ApiClient

from tests.fakes.api_server import shapes, sick_pods, surroundings

Json = shapes.Json
MODELS: dict[str, tuple[Json, ...]] = {
    "V1Pod": (
        shapes.pod(),
        sick_pods.unschedulable(),
        sick_pods.image_missing(),
        sick_pods.crashing(),
        sick_pods.out_of_memory(),
        sick_pods.without_secret(),
        sick_pods.evicted(),
    ),
    "V1Deployment": (shapes.deployment(), shapes.stalled(), shapes.over_quota()),
    "V1ReplicaSet": (shapes.replica_set(1, image=shapes.IMAGE),),
    "CoreV1Event": (shapes.event(shapes.pod(), "BackOff", "again"),),
    "V2HorizontalPodAutoscaler": (
        surroundings.autoscaler(),
        surroundings.without_metrics(),
        surroundings.at_maximum(),
    ),
    "V1PodDisruptionBudget": (surroundings.budget(),),
    "V1NetworkPolicy": (surroundings.default_deny(), surroundings.allowing()),
    "V1Service": (surroundings.service(),),
    "V1Namespace": (surroundings.namespace(),),
    "V1Node": (surroundings.node(),),
    "V1ResourceQuota": (surroundings.quota(pods=("1", "0")),),
    "V1StorageClass": (surroundings.storage_class(default=True),),
    "V1Secret": (surroundings.secret("name", "key"),),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_client_reads_them_and_loses_nothing(name: str) -> None:
    client = ApiClient()
    for item in MODELS[name]:
        read = client.deserialize(json.dumps(item), name, "application/json")
        written = client.sanitize_for_serialization(read)
        assert set(leaves(json.loads(json.dumps(item)))) - set(leaves(written)) == set()


def leaves(found: object, path: str = "") -> list[str]:
    """Where the values are, without what is empty: a field that is misspelt is not read, and so not written."""
    if isinstance(found, dict):
        return [leaf for key, value in found.items() for leaf in leaves(value, f"{path}/{key}")]
    if isinstance(found, list):
        return [leaf for value in found for leaf in leaves(value, f"{path}[]")]
    return [] if found in (None, "") else [path]
