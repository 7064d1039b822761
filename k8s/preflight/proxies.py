"""Whether the overlay tells the service what only its place in the cluster can say: who stands in front of it."""

from __future__ import annotations

from collections.abc import Iterator

from k8s.api.cluster import Cluster
from k8s.preflight.manifest import Manifest
from k8s.report import Finding, ok, warning

DOORS = ("Ingress", "HTTPRoute", "InferenceService")
PROXIES = "TRUSTED_PROXIES"


def check_proxies(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """Behind a door that the settings do not name, no address of a caller is known."""
    doors = sorted({str(document["kind"]) for document in manifest.of_kind(*DOORS)})
    if not doors:
        return
    settings = [document.get("data") or {} for document in manifest.of_kind("ConfigMap")]
    if proxies := [data[PROXIES] for data in settings if str(data.get(PROXIES) or "").strip()]:
        yield ok("proxies", f"{', '.join(doors)}: addresses are believed of {proxies[0]}")
        return
    yield warning(
        "proxies",
        f"{', '.join(doors)}, and {PROXIES} is empty: strangers can slow down the login of anybody",
        f"set {PROXIES} in settings.env to the network of the pods that stand in front",
        "kubectl get nodes -o jsonpath='{.items[*].spec.podCIDR}'",
    )
