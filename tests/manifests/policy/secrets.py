"""Rules about the way of a secret: from its own entry in the store outside, under its own name, to the file that is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8s.dev_secret import SERVICE, SERVICE_KEYS, STORES, store_passwords
from tests.manifests.pods import Pod
from tests.manifests.policy.model import Finding, Rendered, Rule, annotation, found, rule

INDEXED = re.compile(r'\{\{ index \. "([a-z-]+)" \}\}')
KEYS = {SERVICE: set(SERVICE_KEYS), STORES: set(store_passwords(str)), "slipway-registry": {"credentials"}}
OUTSIDE_STORE = (
    "ClusterSecretStore",
    "slipway",
)  # an administrator's, where the overlay brings none of its own


def mounted(pod: Pod) -> Iterator[dict[str, Any]]:
    yield from (volume["secret"] for volume in pod.spec.get("volumes", ()) if "secret" in volume)


@rule(
    "secret-keys",
    "a key that the Secret will not have keeps the pod from starting; under another's name it is another's secret",
)
def secret_keys(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        for secret in mounted(pod):
            for item in secret.get("items", ()):
                if item["key"] not in KEYS.get(secret["secretName"], {item["key"]}):
                    yield found(pod, f"wants the key {item['key']} of {secret['secretName']}, which has none")
                if item["key"] != item["path"]:
                    yield found(pod, f"reads {item['key']} as {item['path']}")


@rule("external-keys", "a value under another's name is the wrong password, found when the pods have it")
def external_keys(rendered: Rendered) -> Iterator[Finding]:
    for external in rendered.of("ExternalSecret"):
        target = external.body["spec"]["target"]
        data = target.get("template", {}).get("data", {})
        if set(data) != KEYS.get(target["name"], set(data)):
            yield found(external, f"makes the keys {sorted(data)}")
        for key, text in data.items():
            read = INDEXED.fullmatch(text)
            if read is None or not f"-{read[1]}".endswith(f"-{key}"):
                yield found(external, f"{key} is {text}")


@rule(
    "external-entry",
    "the secrets of one stage in another are an incident; those that vanish with a typing error, an outage",
)
def external_entry(rendered: Rendered) -> Iterator[Finding]:
    for external in rendered.of("ExternalSecret"):
        spec = external.body["spec"]
        entry = external.identity.namespace.replace("slipway-", "slipway/", 1)
        for each in spec.get("dataFrom", ()):
            if each["extract"]["key"] != entry and not rendered.dev:
                yield found(external, f"reads the entry {each['extract']['key']}, not {entry}")
        if spec["target"].get("deletionPolicy") != "Retain":
            yield found(external, "takes the Secret along when its entry vanishes")
        if not re.fullmatch(r"[1-9]\d*[smh]", str(spec.get("refreshInterval", ""))):
            yield found(external, "is never read again")


@rule(
    "external-store",
    "a store that is not there, or that nobody may read, makes no Secret, and pods wait for ever",
)
def external_store(rendered: Rendered) -> Iterator[Finding]:
    stores = rendered.of("SecretStore")
    there = [("SecretStore", store.identity.name) for store in stores] or [OUTSIDE_STORE]
    for external in rendered.of("ExternalSecret"):
        reference = external.body["spec"]["secretStoreRef"]
        if (reference["kind"], reference["name"]) not in there:
            yield found(external, f"reads {reference}, and there is {there}")
    for store in stores:
        who = store.body["spec"]["provider"].get("aws", {}).get("auth", {}).get("jwt", {})
        name = who.get("serviceAccountRef", {}).get("name", "")
        account = rendered.find("ServiceAccount", name)
        if who and (account is None or not annotation(account, "eks.amazonaws.com/role-arn")):
            yield found(store, f"reads as {name!r}, an account without a role")


RULES: tuple[Rule, ...] = (secret_keys, external_keys, external_entry, external_store)
