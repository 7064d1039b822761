"""NetworkPolicies evaluated: who reaches whom on which port, compared with the flows that are meant.

The semantics are those of Kubernetes: a pod that no policy selects in a direction is open in it; selected ones are closed
but for the union of what their policies allow; both ends of a connection have to agree.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.manifests.policy.flows import DOORS, Actor, Flow, meant_flows, outside
from tests.manifests.policy.model import Finding, Rendered, Rule, found, labels_of, rule, selects

# Asked about whether or not a policy names them: metadata services, SSH, and the API server hide behind these.
ALWAYS_ASKED = {22, 53, 80, 443, 6443, 8000, 9000, 9100, 9101}


@dataclass(frozen=True)
class Port:
    protocol: str
    number: int


@dataclass(frozen=True)
class Network:
    """The policies of one namespace, and everybody who might talk."""

    policies: list[dict[str, Any]]
    actors: list[Actor]
    ports: set[Port] = field(default_factory=set)

    def flows(self) -> set[Flow]:
        return {
            Flow(source.name, target.name, port.protocol, port.number)
            for source in self.actors
            for target in self.actors
            if source is not target and (_governed(source) or _governed(target))
            for port in self.ports
            if self.allowed(source, target, port)
        }

    def allowed(self, source: Actor, target: Actor, port: Port) -> bool:
        out = not _governed(source) or self._opens("Egress", source, target, port)
        return out and (not _governed(target) or self._opens("Ingress", target, source, port))

    def _opens(self, direction: str, subject: Actor, peer: Actor, port: Port) -> bool:
        selecting = [
            p for p in self.policies if direction in _types(p) and selects(p["podSelector"], subject.labels)
        ]
        if not selecting:
            return True
        rules = [rule for policy in selecting for rule in policy.get(direction.lower()) or ()]
        side = "to" if direction == "Egress" else "from"
        return any(_ports_match(rule, port) and _peers_match(rule.get(side), peer) for rule in rules)


def _governed(actor: Actor) -> bool:
    return actor.inside and actor.governed


def _types(policy: dict[str, Any]) -> list[str]:
    default = ["Ingress", *(["Egress"] if policy.get("egress") else [])]
    return list(policy.get("policyTypes") or default)


def _ports_match(rule: dict[str, Any], port: Port) -> bool:
    listed = rule.get("ports")
    if not listed:
        return True
    for entry in listed:
        first = entry.get("port", 1)
        if isinstance(first, str) or entry.get("protocol", "TCP") != port.protocol:
            continue  # a name: not every network plugin looks for it in sidecars, so nothing may depend on one
        last = entry.get("endPort", first) if "port" in entry else port.number
        if first <= port.number <= last:
            return True
    return False


def _peers_match(peers: list[dict[str, Any]] | None, actor: Actor) -> bool:
    return not peers or any(_peer_matches(peer, actor) for peer in peers)


def _peer_matches(peer: dict[str, Any], actor: Actor) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        inside = bool(actor.address) and _within(actor.address, block["cidr"])
        return inside and not any(_within(actor.address, less) for less in block.get("except", ()))
    if actor.address:
        return False
    if "namespaceSelector" in peer and not selects(peer["namespaceSelector"], actor.namespace):
        return False
    if "namespaceSelector" not in peer and not actor.inside:
        return False
    return "podSelector" not in peer or selects(peer["podSelector"], actor.labels)


def _within(address: str, block: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(block)


def network_of(rendered: Rendered) -> Network:
    policies = [manifest.body["spec"] for manifest in rendered.of("NetworkPolicy")]
    inside = {pod.labels.get("app.kubernetes.io/component", str(pod)): pod for pod in rendered.pods}
    namespace = {"kubernetes.io/metadata.name": next((pod.namespace for pod in rendered.pods), "")}
    for manifest in rendered.of("Namespace"):
        namespace |= labels_of(manifest)
    actors = [
        Actor(name, labels=pod.labels, namespace=namespace, inside=True) for name, pod in inside.items()
    ]
    actors.append(Actor("neighbour", labels={"app": "someone"}, namespace=namespace, inside=True))
    # What one side opens too far, the other may still keep shut: this one is in the namespace and keeps nothing shut.
    actors.append(
        Actor("ungoverned", labels={"app": "someone"}, namespace=namespace, inside=True, governed=False)
    )
    numbers = {Port(protocol, number) for protocol, number in _named(policies)}
    numbers |= {
        Port(port.get("protocol", "TCP"), port["containerPort"])
        for pod in rendered.pods
        for container in pod.containers
        for port in container.get("ports", ())
    }
    asked = {Port("TCP", number) for number in ALWAYS_ASKED} | {Port("UDP", 53), Port("UDP", 123)}
    return Network(policies, [*actors, *outside(rendered.overlay)], numbers | asked)


def _named(policies: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for policy in policies:
        for direction in ("ingress", "egress"):
            for opening in policy.get(direction) or ():
                for port in opening.get("ports") or ():
                    if isinstance(port.get("port"), int):
                        yield port.get("protocol", "TCP"), port["port"]


@rule("default-deny", "who forgets a pod in the list of flows finds it cut off, not open to everybody")
def default_deny(rendered: Rendered) -> Iterator[Finding]:
    if not rendered.pods:
        return
    for direction in ("Ingress", "Egress"):
        closed = [
            policy
            for policy in rendered.of("NetworkPolicy")
            if direction in _types(policy.body["spec"])
            and policy.body["spec"]["podSelector"] in ({}, None)
            and not policy.body["spec"].get(direction.lower())
        ]
        if not closed:
            yield Finding(f"no policy closes every pod for {direction}", rendered.overlay)


@rule(
    "flows", "what a policy lets through beyond the list of flows nobody meant; what it does not is an outage"
)
def flows(rendered: Rendered) -> Iterator[Finding]:
    network = network_of(rendered)
    doors = {manifest.identity.kind for manifest in rendered.of(*DOORS)}
    names, asks = {actor.name for actor in network.actors}, _asks_the_cluster(rendered)
    there = network.flows()
    meant = meant_flows(rendered.overlay, names, doors, asks_the_cluster=asks, settings=rendered.settings)
    for flow in sorted(there - meant):
        yield Finding(f"{flow} is let through, and is not among the flows", rendered.overlay)
    for flow in sorted(meant - there):
        yield Finding(f"{flow} is meant, and is not let through", rendered.overlay)


def _asks_the_cluster(rendered: Rendered) -> bool:
    return any(
        "serviceAccountToken" in source
        for pod in rendered.service_pods
        for volume in pod.spec.get("volumes", ())
        for source in volume.get("projected", {}).get("sources", ())
    )


@rule("policies-select", "a policy that selects no pod protects nothing, and looks as if it did")
def policies_select(rendered: Rendered) -> Iterator[Finding]:
    for policy in rendered.of("NetworkPolicy"):
        selector = policy.body["spec"]["podSelector"]
        if not any(selects(selector, pod.labels) for pod in rendered.pods):
            yield found(policy, "selects no pod of this overlay")


@rule(
    "known-peers",
    "a namespace that nobody here has heard of is let in unseen: whoever may come is among the flows",
)
def known_peers(rendered: Rendered) -> Iterator[Finding]:
    actors = outside(rendered.overlay)
    for policy in rendered.of("NetworkPolicy"):
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for opening in policy.body["spec"].get(direction) or ():
                for peer in (each for each in opening.get(side) or () if "namespaceSelector" in each):
                    if not any(_peer_matches(peer, actor) for actor in actors):
                        yield found(policy, f"{direction} names {peer}, whom nobody knows")


RULES: tuple[Rule, ...] = (default_deny, flows, policies_select, known_peers)
