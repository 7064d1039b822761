"""Timeouts of both AWS paths agree with the service's own, and both ask it whether it is ready."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from deploy.commands.ec2_bundle import FOLDER
from deploy.manifests.objects import Manifest
from serving.__main__ import KEEP_ALIVE_SECONDS
from serving.lifecycle.settings import DRAIN_LIMIT_SECONDS
from serving.settings import Settings
from tests.manifests.rendering import overlay

ALB = "alb.ingress.kubernetes.io"
REQUEST_SECONDS = Settings.model_fields["request_timeout_seconds"].default


class Intrinsic(yaml.SafeLoader):
    """Leaves `!Ref` and its like out: what is compared here are numbers."""


Intrinsic.add_multi_constructor("!", lambda *_: None)


def only(kind: str, name: str = "slipway") -> Manifest:
    (found,) = (m for m in overlay("aws") if m.identity.kind == kind and m.identity.name == name)
    return found


def of_ingress() -> dict[str, str]:
    """Attributes of the load balancer and its target group, and how it checks health."""
    annotations = only("Ingress").body["metadata"]["annotations"]
    attributes = ",".join(
        annotations[f"{ALB}/{name}-attributes"] for name in ("load-balancer", "target-group")
    )
    found = dict(pair.split("=") for pair in attributes.split(","))
    return {**found, "health": annotations[f"{ALB}/healthcheck-path"]}


def of_template() -> dict[str, str]:
    resources: dict[str, Any] = yaml.load((FOLDER / "template.yaml").read_text(), Loader=Intrinsic)[
        "Resources"
    ]
    balancer, group = (resources[name]["Properties"] for name in ("LoadBalancer", "TargetGroup"))
    attributes = (*balancer["LoadBalancerAttributes"], *group["TargetGroupAttributes"])
    return {**{each["Key"]: each["Value"] for each in attributes}, "health": group["HealthCheckPath"]}


@pytest.fixture(params=[of_ingress, of_template], ids=["eks", "ec2"])
def balancer(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param())


def test_the_load_balancer_closes_idle_connections_before_the_service_does(balancer: dict[str, str]) -> None:
    assert int(balancer["idle_timeout.timeout_seconds"]) < KEEP_ALIVE_SECONDS


def test_what_is_under_way_is_answered_before_a_target_is_let_go(balancer: dict[str, str]) -> None:
    assert REQUEST_SECONDS < int(balancer["deregistration_delay.timeout_seconds"]) <= DRAIN_LIMIT_SECONDS


def test_a_target_is_healthy_when_the_service_is_ready(balancer: dict[str, str]) -> None:
    assert balancer["health"] == "/readyz"


def test_a_new_pod_counts_when_the_load_balancer_has_seen_it() -> None:
    labels = only("Namespace", "slipway-production").body["metadata"]["labels"]
    assert labels["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"


def test_who_reads_the_secrets_has_an_identity_of_aws_and_the_service_has_none() -> None:
    accounts = {
        m.identity.name: m.body["metadata"]["annotations"]
        for m in overlay("aws")
        if m.identity.kind == "ServiceAccount"
    }
    roles = {
        name: found["eks.amazonaws.com/role-arn"]
        for name, found in accounts.items()
        if "eks.amazonaws.com/role-arn" in found
    }
    assert set(roles) == {"slipway-secrets-reader"}
    assert only("SecretStore").body["spec"]["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"] == {
        "name": "slipway-secrets-reader"
    }


def test_the_unit_on_an_instance_stops_as_patiently_as_the_pod() -> None:
    unit = (FOLDER / "units" / "slipway.service").read_text()
    drain = int((FOLDER / "hooks" / "host.sh").read_text().split("DRAIN_SECONDS=")[1].split()[0])
    stop = int(unit.split("docker stop -t ")[1].split()[0])
    limit = int(unit.split("TimeoutStopSec=")[1].split()[0])
    assert stop > DRAIN_LIMIT_SECONDS
    assert limit > drain + stop
