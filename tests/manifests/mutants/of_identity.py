"""Mutants of identity: a policy that nobody reads or that is refused, tokens in the wrong place, limits that do not add up."""

from __future__ import annotations

from collections.abc import Callable

from tests.manifests.mutants.mutant import Added, Mutant

D = "Deployment slipway"
POD = "spec/template/spec"
MAIN = f"{POD}/containers/slipway"
AGENT = f"{POD}/initContainers/agent"
FILL = f"{POD}/initContainers/model-store-init"
SETTINGS = "ConfigMap slipway-settings"
POLICY = "ConfigMap slipway-policy"
TEXT = "data/policy.toml"
SMOKE = "Job smoke-test"
WAY = "NetworkPolicy cluster-identity"
STORES = "company-of-stores"


def _text(old: str, new: str) -> Callable[[str], str]:
    def changed(value: str) -> str:
        assert old in value
        return value.replace(old, new)

    return changed


FILES = (
    Mutant("policy-is-read", SETTINGS, "data/AUTH_POLICY_FILE", "/etc/slipway/policy/policy.tml"),
    Mutant("policy-is-read", SETTINGS, "data/AUTH_POLICY_FILE", "/etc/slipway/secrets/policy.toml"),
    Mutant("policy-is-read", POLICY, "metadata/name", "slipway-policy-5k2d8m4t6h"),
    Mutant("policy-is-read", D, f"{AGENT}/volumeMounts/policy"),
    Mutant("policy-is-read", D, f"{MAIN}/volumeMounts/policy"),
    Mutant("policy-is-read", D, f"{FILL}/volumeMounts/policy"),
    Mutant("policy-is-read", D, f"{POD}/volumes/policy/configMap/name", "slipway-polic"),
    Mutant("policy-is-read", D, f"{POD}/volumes/policy/configMap/optional", True),
    Mutant("policy-valid", POLICY, TEXT, "[[issuers]]\nname = 'own'\n", of="dev"),
    Mutant("policy-valid", POLICY, TEXT, _text("https://kube", "http://kube"), of="dev"),
    Mutant("policy-valid", POLICY, TEXT, _text('issuer = "cluster"', 'issuer = "clustr"'), of="dev"),
    Mutant("policy-valid", POLICY, TEXT, _text("smoke-test", "smoke-*"), of="dev"),
    Mutant("secrets-apart", D, f"{POD}/volumes/agent-secrets/secret/items/0/key", "jwt-signing-key"),
    Mutant("external-keys", "ExternalSecret slipway-secrets", "spec/target/template/data/jwt-signing-key"),
)
TOKENS = (
    Mutant(
        "tokens-of-accounts",
        D,
        f"{MAIN}/volumeMounts",
        Added({"name": "cluster-identity", "mountPath": "/var/run/secrets/slipway-cluster"}),
        of="dev",
    ),
    Mutant("tokens-of-accounts", D, f"{AGENT}/volumeMounts/cluster-identity", of="dev"),
    Mutant("tokens-of-accounts", D, f"{FILL}/volumeMounts/cluster-identity", of=STORES),
    Mutant(
        "tokens-of-accounts",
        D,
        f"{POD}/volumes/cluster-identity/projected/sources/0/serviceAccountToken/path",
        "jwt",
        of="dev",
    ),
    Mutant("tokens-of-accounts", POLICY, TEXT, "", of="dev"),
    Mutant("no-token", D, f"{POD}/automountServiceAccountToken", True, of="dev"),
    Mutant("callers-are-granted", POLICY, TEXT, _text("slipway-dev:smoke", "slipway:smoke"), of="dev"),
    Mutant("callers-are-granted", POLICY, TEXT, _text('["predict", "read"]', '["read"]'), of="dev"),
    Mutant("callers-are-granted", POLICY, TEXT, _text('audience = "slipway"', 'audience = "x"'), of="dev"),
    Mutant(
        "callers-are-granted",
        SMOKE,
        f"{POD}/volumes/slipway-token/projected/sources/0/serviceAccountToken/audience",
        of="dev",
    ),
    Mutant("callers-are-granted", SMOKE, f"{POD}/volumes/slipway-token/projected/sources", [], of="dev"),
    Mutant("flows", WAY, "spec/egress/0/to", of="dev"),
    Mutant("flows", WAY, "spec/egress/0/to/0/ipBlock/cidr", "0.0.0.0/0", of="dev"),
    Mutant("flows", WAY, "spec/egress/0/ports", Added({"protocol": "TCP", "port": 22}), of="dev"),
    Mutant("flows", WAY, "", of="dev"),
)
LIMITS = (
    Mutant("limits-add-up", SETTINGS, "data/RATE_LIMIT_REPLICAS", "12"),
    Mutant("limits-add-up", SETTINGS, "data/RATE_LIMIT_REPLICAS"),
    Mutant("limits-add-up", SETTINGS, "data/RATE_LIMIT_PER_SECOND", "0"),
    Mutant("limits-add-up", "InferenceService slipway", "spec/predictor/minReplicas", 6, of="kserve"),
    Mutant("trusted-proxies", SETTINGS, "data/TRUSTED_PROXIES", "0.0.0.0/0"),
    Mutant("trusted-proxies", SETTINGS, "data/TRUSTED_PROXIES", "10.244.0.0/16,::/0"),
    Mutant("trusted-proxies", SETTINGS, "data/TRUSTED_PROXIES", "", of="aws"),
    Mutant("trusted-proxies", SETTINGS, "data/TRUSTED_PROXIES", "10.0.0.0/20", of="aws"),
)
MUTANTS = (*FILES, *TOKENS, *LIMITS)
