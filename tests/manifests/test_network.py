"""The evaluator of NetworkPolicies reads them as Kubernetes does: the rules of flows are worth no more than it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.manifests.policy.flows import Actor
from tests.manifests.policy.network import Network, Port

HOME = {"kubernetes.io/metadata.name": "home"}
WEB = Actor("web", {"app": "web"}, HOME, inside=True)
STORE = Actor("store", {"app": "store"}, HOME, inside=True)
AWAY = Actor("away", {"app": "web"}, {"kubernetes.io/metadata.name": "away"})
NODE = Actor("node", address="10.1.2.3")
TCP, UDP = Port("TCP", 8000), Port("UDP", 8000)


def policy(app: str | None, **spec: Any) -> dict[str, Any]:
    selector = {} if app is None else {"matchLabels": {"app": app}}
    return {"podSelector": selector, **spec}


def allowed(source: Actor, target: Actor, *policies: dict[str, Any], port: Port = TCP) -> bool:
    return Network(list(policies), [source, target]).allowed(source, target, port)


def ingress(**opening: Any) -> dict[str, Any]:
    return policy("store", policyTypes=["Ingress"], ingress=[opening])


def egress(**opening: Any) -> dict[str, Any]:
    return policy("web", policyTypes=["Egress"], egress=[opening])


def test_whom_no_policy_selects_everybody_reaches() -> None:
    assert allowed(AWAY, STORE)
    assert allowed(AWAY, STORE, policy("web", policyTypes=["Ingress"]))


def test_a_selected_pod_is_closed_but_for_what_is_listed() -> None:
    assert not allowed(WEB, STORE, policy("store", policyTypes=["Ingress"]))
    assert not allowed(WEB, STORE, policy(None, policyTypes=["Ingress"]))
    assert allowed(WEB, STORE, policy("store", policyTypes=["Ingress"]), ingress())


def test_both_ends_have_to_agree() -> None:
    assert not allowed(WEB, STORE, policy("web", policyTypes=["Egress"]), ingress())
    assert allowed(WEB, STORE, egress(to=[{"podSelector": {"matchLabels": {"app": "store"}}}]), ingress())


def test_without_types_a_policy_is_about_what_comes_in_and_about_what_goes_out_if_it_lists_any() -> None:
    assert not allowed(WEB, STORE, policy("store"))
    assert allowed(WEB, STORE, policy("web"))
    assert not allowed(WEB, STORE, policy("web", egress=[{"ports": [{"port": 53}]}]))


@pytest.mark.parametrize(
    ("peer", "source", "reaches"),
    [
        ({"podSelector": {}}, WEB, True),
        ({"podSelector": {}}, AWAY, False),
        ({"namespaceSelector": {}}, AWAY, True),
        ({"namespaceSelector": {"matchLabels": HOME}}, AWAY, False),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}, AWAY, True),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "other"}}}, AWAY, False),
        (
            {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}},
            WEB,
            True,
        ),
        (
            {"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}},
            WEB,
            False,
        ),
        ({"podSelector": {"matchExpressions": [{"key": "role", "operator": "DoesNotExist"}]}}, WEB, True),
        ({"namespaceSelector": {}}, NODE, False),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, NODE, True),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, NODE, False),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, WEB, False),
    ],
)
def test_a_peer_is_chosen_by_pod_namespace_or_address(
    peer: dict[str, Any], source: Actor, *, reaches: bool
) -> None:
    assert allowed(source, STORE, ingress(**{"from": [peer]})) is reaches


@pytest.mark.parametrize(
    ("ports", "port", "reaches"),
    [
        ([{"port": 8000}], TCP, True),
        ([{"port": 8000}], UDP, False),
        ([{"port": 8000, "protocol": "UDP"}], UDP, True),
        ([{"port": 7000, "endPort": 9000}], TCP, True),
        ([{"port": 7000, "endPort": 7999}], TCP, False),
        ([{"protocol": "TCP"}], TCP, True),
        ([{"port": "http"}], TCP, False),
        ([], TCP, True),
    ],
)
def test_a_port_is_chosen_by_number_range_and_protocol(
    ports: list[Any], port: Port, *, reaches: bool
) -> None:
    assert allowed(WEB, STORE, ingress(ports=ports), port=port) is reaches


def test_the_network_of_a_node_is_governed_by_no_policy_of_ours() -> None:
    node = Actor("ungoverned", {"app": "web"}, HOME, inside=True, governed=False)
    assert allowed(node, NODE, policy(None, policyTypes=["Ingress", "Egress"]))
    assert not allowed(node, STORE, policy(None, policyTypes=["Ingress", "Egress"]))
