"""Who may talk to whom: the whole list. A flow that is not here is let through by no policy of any overlay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Flow:
    source: str
    target: str
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} -> {self.target} {self.protocol} {self.port}"


@dataclass(frozen=True)
class Actor:
    """Somebody with a name in the table: a pod of ours by its component, or a stand-in for somebody outside."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: Mapping[str, str] = field(default_factory=dict)
    inside: bool = False  # of our namespace
    governed: bool = True  # by our policies, if inside; the network of a node is not
    address: str = ""


def _namespace(name: str, **labels: str) -> dict[str, str]:
    return {"kubernetes.io/metadata.name": name, **labels}


OUTSIDE = (
    Actor("client", {"app": "shop"}, _namespace("shop", **{"slipway-client": "true"})),
    Actor("stranger", {"app": "stranger"}, _namespace("elsewhere")),
    Actor("prometheus", {"app.kubernetes.io/name": "prometheus"}, _namespace("monitoring")),
    Actor("grafana", {"app.kubernetes.io/name": "grafana"}, _namespace("monitoring")),
    Actor("collector", {"app.kubernetes.io/name": "opentelemetry-collector"}, _namespace("observability")),
    Actor("dns", {"k8s-app": "kube-dns"}, _namespace("kube-system")),
    Actor("kube-system", {"k8s-app": "other"}, _namespace("kube-system")),
    Actor("ingress", {"app.kubernetes.io/name": "ingress-nginx"}, _namespace("ingress-nginx")),
    Actor("gateway", {"app": "gateway"}, _namespace("gateway")),
    Actor(
        "kserve-gateway",
        {"gateway.envoyproxy.io/owning-gateway-name": "kserve-ingress-gateway"},
        _namespace("envoy-gateway-system"),
    ),
    Actor("api-server", address="172.18.0.2"),
    Actor("metadata-service", address="169.254.169.254"),
    Actor("internet", address="198.51.100.7"),
    Actor("other-private-network", address="10.99.0.5"),
)
# Managed stores are no pods but blocks of addresses: one address out of each overlay's block.
STORES = {"staging": "10.20.0.5", "production": "10.10.0.5", "kserve": "10.10.0.5", "aws": "10.0.0.5"}
_METRICS = (9100, 9101)
# Of every overlay in which both ends exist.
MEANT = (
    Flow("client", "service", "TCP", 8000),
    Flow("smoke-test", "service", "TCP", 8000),
    *(Flow("prometheus", "service", "TCP", port) for port in _METRICS),
    Flow("service", "redis", "TCP", 6379),
    Flow("service", "postgres", "TCP", 5432),
    Flow("service", "mlflow", "TCP", 5000),
    Flow("migrations", "postgres", "TCP", 5432),
    Flow("mlflow", "object-store", "TCP", 8333),
    Flow("retrain", "mlflow", "TCP", 5000),
    Flow("retrain", "postgres", "TCP", 5432),
    Flow("batch", "mlflow", "TCP", 5000),
    # 443 is the registry behind its own Ingress.
    *(Flow("service", "stores-outside", "TCP", port) for port in (5432, 6379, 443)),
    Flow("migrations", "stores-outside", "TCP", 5432),
    Flow("retrain", "stores-outside", "TCP", 5432),
)
# Whoever runs in the namespace may look up names, at kube-dns and nowhere else.
DNS = (("UDP", 53), ("TCP", 53))
# The API server is no pod, and its address is the cluster's: the one policy that has to name ports alone.
INTERNET = ("retrain", "batch")  # object storage and the cloud's token service
ANYWHERE = (("dev-secret", 443), ("dev-secret", 6443), ("dev-secret", 8443))
# The agent's way to the keys of the cluster, where it is asked to fetch them: private addresses alone, for the same reason.
CLUSTER = (443, 6443, 8443)
PRIVATE = ("10.", "172.18.", "192.168.")
# Where the load balancer is no pod: an address out of the public subnets.
LOAD_BALANCERS = {"aws": "10.0.128.5"}
# Where the setting is there. Whoever comes from outside the cluster comes over HTTP.
BY_SETTING = {
    "GRPC_PORT": Flow("client", "service", "TCP", 9000),
    "OTEL_EXPORTER_OTLP_ENDPOINT": Flow("service", "collector", "TCP", 4318),
}
# Callers from outside the cluster come through whichever of these the overlay has.
DOORS = {"Ingress": "ingress", "HTTPRoute": "gateway", "InferenceService": "kserve-gateway"}


def outside(overlay: str) -> tuple[Actor, ...]:
    stores = [Actor("stores-outside", address=STORES[overlay])] if overlay in STORES else []
    balancer = [Actor("load-balancer", address=LOAD_BALANCERS[overlay])] if overlay in LOAD_BALANCERS else []
    return (*OUTSIDE, *stores, *balancer)


def meant_flows(
    overlay: str,
    actors: set[str],
    doors: set[str],
    *,
    asks_the_cluster: bool = False,
    settings: Collection[str] = (),
) -> set[Flow]:
    """The flows of an overlay; `actors` are those that it has, `doors` whether by Ingress or Gateway."""
    away = {"ungoverned", *(actor.name for actor in outside(overlay))}
    names = {Flow(name, "dns", protocol, port) for name in actors - away for protocol, port in DNS}
    listed = {flow for flow in MEANT if {flow.source, flow.target} <= actors}
    door = "load-balancer" if overlay in LOAD_BALANCERS else None
    opened = {Flow(door or DOORS[kind], "service", "TCP", 8000) for kind in doors}
    by_port = {
        Flow(name, target, "TCP", port) for name, port in ANYWHERE if name in actors for target in away
    }
    addressed = {actor.name for actor in outside(overlay) if actor.address} - {"metadata-service"}
    outbound = (*INTERNET, *(("service",) if "SPOOL_HANDOFF_URL" in settings else ()))
    internet = {Flow(name, target, "TCP", 443) for name in outbound if name in actors for target in addressed}
    private = {actor.name for actor in outside(overlay) if actor.address.startswith(PRIVATE)}
    ports = CLUSTER if asks_the_cluster else ()
    keys = {Flow("service", target, "TCP", port) for port in ports for target in private}
    asked_for = {flow for name, flow in BY_SETTING.items() if name in settings}
    return names | listed | opened | by_port | internet | keys | asked_for
