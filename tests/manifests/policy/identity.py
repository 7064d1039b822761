"""Rules about who is let in: the policy file that pods read, the tokens that they hold, and limits that add up."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from auth.policy import Policy, PolicyRefused, parse_policy
from auth.policy_rules import KUBERNETES
from auth.scopes import PREDICT, READ
from tests.manifests.pods import Pod
from tests.manifests.policy.flows import LOAD_BALANCERS
from tests.manifests.policy.model import Finding, Rendered, Rule, answers, found, is_agent, rule

POLICY = "slipway-policy"
ACCOUNTS = "/var/run/secrets/"
# A network this wide holds callers, who could then write what address they come from.
WIDEST_PROXIES = {4: 12, 6: 32}


def policy_of(rendered: Rendered) -> Policy:
    """What the overlay's file says; an empty policy where it has none. Raises PolicyRefused."""
    settings, texts = rendered.settings, rendered.configuration(POLICY)
    return parse_policy(
        texts.get("policy.toml", "").encode(),
        audience=settings.get("JWT_AUDIENCE", "slipway"),
        own_issuer=settings.get("JWT_ISSUER", "slipway"),
    )


@rule(
    "policy-is-read",
    "a policy that reaches no running pod lets in whom it should keep out, until the next roll-out",
)
def policy_is_read(rendered: Rendered) -> Iterator[Finding]:
    file = rendered.settings.get("AUTH_POLICY_FILE", "")
    if not file:
        return
    folder, _, name = file.rpartition("/")
    if name not in (rendered.find("ConfigMap", POLICY) or _nothing(rendered)).body.get("data", {}):
        yield Finding(f"no ConfigMap {POLICY}, by this very name, has {name}", rendered.overlay)
    for pod in rendered.service_pods:
        for container in (each for each in pod.containers if answers(each) or is_agent(each)):
            volume = _at(pod, container, folder)
            if volume.get("configMap") != {"name": POLICY}:
                yield found(pod, f"{file} is not the policy: {volume}", container)


def _nothing(rendered: Rendered) -> Any:
    return type(rendered.manifests[0])(rendered.manifests[0].identity, {})


def _at(pod: Pod, container: dict[str, Any], folder: str) -> dict[str, Any]:
    mount = next((m for m in container.get("volumeMounts", ()) if m["mountPath"].rstrip("/") == folder), None)
    return (pod.volume(mount["name"]) or {}) if mount else {}


@rule("policy-valid", "a file that is refused leaves the old policy, and a new pod without any")
def policy_valid(rendered: Rendered) -> Iterator[Finding]:
    try:
        policy_of(rendered)
    except PolicyRefused as refused:
        yield Finding(f"its policy is refused: {refused}", rendered.overlay)


@rule(
    "tokens-of-accounts",
    "who parses strangers' requests has no token of the cluster; the agent has one only to fetch keys with",
)
def tokens_of_accounts(rendered: Rendered) -> Iterator[Finding]:
    issuers = [each for each in _policy(rendered).issuers if each.kind == KUBERNETES]
    wanted = {str(file) for each in issuers for file in (each.ca_file, each.bearer_file) if file}
    for pod in rendered.service_pods:
        for container in pod.containers:
            files = set(account_files(pod, container))
            if answers(container) and files:
                yield found(pod, f"holds {sorted(files)}", container)
            if is_agent(container) and files != wanted:
                yield found(pod, f"has {sorted(files)}, its policy wants {sorted(wanted)}", container)


def account_files(pod: Pod, container: dict[str, Any]) -> Iterator[str]:
    for mount in container.get("volumeMounts", ()):
        sources = (pod.volume(mount["name"]) or {}).get("projected", {}).get("sources", ())
        for source in sources:
            if "serviceAccountToken" in source:
                yield f"{mount['mountPath']}/{source['serviceAccountToken']['path']}"
            for item in source.get("configMap", {}).get("items", ()):
                yield f"{mount['mountPath']}/{item['path']}"


def _policy(rendered: Rendered) -> Policy:
    try:
        return policy_of(rendered)
    except PolicyRefused:  # of which another rule speaks
        return Policy()


@rule(
    "callers-are-granted", "a Job whose token is for somebody else, or gives it no scope, fails at every sync"
)
def callers_are_granted(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        for container in (c for c in pod.containers if (c.get("args") or [])[:2] == ["k8s", "smoke"]):
            arguments = container["args"]
            if "--token-file" not in arguments:
                continue
            file = arguments[arguments.index("--token-file") + 1]
            if file not in set(account_files(pod, container)):
                yield found(pod, f"names {file}, which nothing mounts", container)
            yield from (found(pod, what, container) for what in _not_granted(rendered, pod))


def _not_granted(rendered: Rendered, pod: Pod) -> Iterator[str]:
    subject = f"system:serviceaccount:{pod.namespace}:{pod.spec.get('serviceAccountName')}"
    policy = _policy(rendered)
    issuers = [each for each in policy.issuers if each.kind == KUBERNETES]
    granted = {scope for each in issuers for scope in policy.scopes_for(each.name, subject, {})}
    if not {PREDICT, READ} <= granted:
        yield f"{subject} is granted {sorted(granted)}"
    for volume in pod.spec.get("volumes", ()):
        for source in volume.get("projected", {}).get("sources", ()):
            audience = source.get("serviceAccountToken", {}).get("audience", "")
            if audience not in {each.audience for each in issuers}:
                yield f"its token is for {audience!r}"


@rule(
    "limits-add-up",
    "while Redis is away each pod gives out its share: of another number of pods, all of them give out another limit",
)
def limits_add_up(rendered: Rendered) -> Iterator[Finding]:
    settings = rendered.settings
    if rendered.dev or not rendered.service_pods:
        return
    if float(settings.get("RATE_LIMIT_PER_SECOND", 0)) <= 0:
        yield Finding("one caller may take all of it", rendered.overlay)
    for least in _least(rendered):
        if int(settings.get("RATE_LIMIT_REPLICAS", 1)) != least:
            yield Finding(
                f"limits are shared by {settings.get('RATE_LIMIT_REPLICAS')}, not {least}", rendered.overlay
            )


def _least(rendered: Rendered) -> Iterator[int]:
    for scaler in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler.body["spec"]
        yield spec.get("minReplicas", spec.get("minReplicaCount", 1))
    for service in rendered.of("InferenceService"):
        yield service.body["spec"]["predictor"].get("minReplicas", 1)


@rule(
    "trusted-proxies",
    "who is believed about addresses must be the proxy in front, and nobody who calls: guesses are counted by address",
)
def trusted_proxies(rendered: Rendered) -> Iterator[Finding]:
    text = rendered.settings.get("TRUSTED_PROXIES", "")
    networks = [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]
    for network in networks:
        if network.prefixlen < WIDEST_PROXIES[network.version]:
            yield Finding(f"believes {network}", rendered.overlay)
    balancer = LOAD_BALANCERS.get(rendered.overlay)
    if balancer and not any(ipaddress.ip_address(balancer) in network for network in networks):
        yield Finding(f"does not believe its load balancer ({balancer})", rendered.overlay)


RULES: tuple[Rule, ...] = (
    *(policy_is_read, policy_valid, tokens_of_accounts, callers_are_granted),
    *(limits_add_up, trusted_proxies),
)
