"""Rules about the whole of the way in: every path of the API, and a load balancer that asks pods what they answer."""

from __future__ import annotations

from collections.abc import Iterator

from tests.manifests.policy.model import Finding, Rendered, Rule, annotation, found, rule

ALB = "alb.ingress.kubernetes.io/"
# Of the controller that makes the load balancer: pods are its targets, and it asks them as the kubelet does.
ASKED = {
    "healthcheck-path": "/readyz",
    "healthcheck-port": "traffic-port",
    "target-type": "ip",
    "success-codes": "200",
}


@rule("whole-api", "a door that opens one path hides the rest of the API, its documentation and its login")
def whole_api(rendered: Rendered) -> Iterator[Finding]:
    for ingress in rendered.of("Ingress"):
        for routed in ingress.body["spec"]["rules"]:
            paths = [(path.get("path"), path.get("pathType")) for path in routed["http"]["paths"]]
            if paths != [("/", "Prefix")]:
                yield found(ingress, f"opens {paths}")
    for route in rendered.of("HTTPRoute"):
        opened = [
            match.get("path") for each in route.body["spec"]["rules"] for match in each.get("matches", ())
        ]
        if {"type": "PathPrefix", "value": "/"} not in opened:
            yield found(route, f"opens {opened}")


@rule(
    "load-balancer-asks",
    "a load balancer that asks elsewhere sends requests to pods that cannot answer, or to none",
)
def load_balancer_asks(rendered: Rendered) -> Iterator[Finding]:
    for ingress in rendered.of("Ingress"):
        if ingress.body["spec"].get("ingressClassName") == "alb":
            for name, value in ASKED.items():
                if annotation(ingress, ALB + name) != value:
                    yield found(ingress, f"{name} is {annotation(ingress, ALB + name)!r}, not {value}")


RULES: tuple[Rule, ...] = (whole_api, load_balancer_asks)
