"""Who asks, and what RBAC allows them: the rules are read from a manifest, as a cluster would after `kubectl apply`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A request as RBAC sees it: `resource` with its subresource, `namespace` empty for the whole cluster."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def refusal(self, user: str) -> str:
        """The API server's own words."""
        where = f' in the namespace "{self.namespace}"' if self.namespace else " at the cluster scope"
        named = f' "{self.name}"' if self.name else ""
        return (
            f'{self.resource}{named} is forbidden: User "{user}" cannot {self.verb} resource "{self.resource}" '
            f'in API group "{self.group}"{where}'
        )


# `system:basic-user` and `system:discovery`, which every authenticated caller has.
EVERYBODY: tuple[Json, ...] = (
    {
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews"],
        "verbs": ["create"],
    },
)


class Rules:
    """Roles and bindings, by subject. Without any, everything is allowed: an administrator asks."""

    def __init__(self, documents: Iterable[Json] | None, *, namespace: str = "") -> None:
        self.everything_goes = documents is None
        self._documents = [document for document in documents or () if document]
        self._namespace = namespace
        self.used: set[tuple[str, str, str]] = set()

    @property
    def granted(self) -> set[tuple[str, str, str]]:
        """Everything that some role allows: verb, group, resource."""
        rules = [rule for document in self._documents for rule in document.get("rules", ())]
        return {
            (verb, group, resource)
            for rule in rules
            for verb in rule["verbs"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
        }

    @classmethod
    def of_manifest(cls, path: Path, *, namespace: str, without: frozenset[str] = frozenset()) -> Rules:
        """Of a manifest that is made for `slipway-production`, as for `namespace`; `without` are bindings left out."""
        documents = list(yaml.safe_load_all(path.read_text().replace("slipway-production", namespace)))
        kept = [
            d for d in documents if not (d["kind"].endswith("Binding") and d["metadata"]["name"] in without)
        ]
        return cls(kept, namespace=namespace)

    def allow(self, user: str, question: Question) -> bool:
        if self.everything_goes:
            return True
        self.used.add((question.verb, question.group, question.resource))
        return any(_covers(rule, question) for rule in self._of(user, question.namespace))

    def _of(self, user: str, namespace: str) -> Iterable[Json]:
        yield from EVERYBODY
        for binding in self._documents:
            if binding["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
                continue
            if user not in {self._subject(subject) for subject in binding["subjects"]}:
                continue
            if binding["kind"] == "ClusterRoleBinding" or namespace == self._home(binding):
                yield from self._rules(binding["roleRef"])

    def _subject(self, subject: Json) -> str:
        if subject["kind"] == "ServiceAccount":
            home = subject.get("namespace") or self._namespace
            return f"system:serviceaccount:{home}:{subject['name']}"
        return str(subject["name"])

    def _home(self, binding: Json) -> str:
        return str(binding["metadata"].get("namespace") or self._namespace)

    def _rules(self, reference: Json) -> Iterable[Json]:
        for document in self._documents:
            if (document["kind"], document["metadata"]["name"]) == (reference["kind"], reference["name"]):
                yield from document["rules"]


def _covers(rule: Json, question: Question) -> bool:
    names = rule.get("resourceNames")
    return (
        _has(rule["verbs"], question.verb)
        and _has(rule.get("apiGroups", []), question.group)
        and _has(rule.get("resources", []), question.resource)
        and (not names or question.name in names)
    )


def _has(allowed: list[str], wanted: str) -> bool:
    return "*" in allowed or wanted in allowed
