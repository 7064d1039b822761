"""Rendered YAML as objects with an identity: what the tests judge and what a diff compares."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import yaml

from deploy.errors import DeliveryError

# Kustomize appends ten characters of a digest to the names of generated ConfigMaps and Secrets.
HASHED_KINDS = frozenset({"ConfigMap", "Secret"})
HASH = re.compile(r"-[a-z0-9]{10}$")


@dataclass(frozen=True, order=True)
class Identity:
    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def unhashed(self) -> Identity:
        """The same under the name that a person wrote."""
        name = HASH.sub("", self.name) if self.kind in HASHED_KINDS else self.name
        return Identity(self.api_version, self.kind, self.namespace, name)


@dataclass(frozen=True)
class Manifest:
    identity: Identity
    body: dict[str, Any]

    @property
    def yaml(self) -> str:
        return yaml.safe_dump(self.body, sort_keys=True, default_flow_style=False, width=120)


class _StrictLoader(yaml.CSafeLoader):
    """Refuses what YAML forbids and PyYAML lets pass: the same key twice, of which the last would win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise DeliveryError(f"the key {name!r} is written twice, at line {key.start_mark.line + 1}")
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def parse(text: str) -> tuple[Manifest, ...]:
    """The objects in their order; lists of them are opened, empty documents left out."""
    return tuple(manifest for document in documents(text) for manifest in _manifests(document))


def documents(text: str) -> list[Any]:
    """What YAML files hold, objects or not; a key that is written twice is refused."""
    try:
        return [document for document in yaml.load_all(text, _StrictLoader) if document]
    except yaml.YAMLError as error:
        raise DeliveryError(f"no YAML: {error}") from None


def _manifests(document: Any) -> list[Manifest]:
    if not isinstance(document, dict):
        raise DeliveryError(f"no object: {document!r}")
    if document.get("kind") == "List":
        return [manifest for item in document["items"] for manifest in _manifests(item)]
    metadata = document.get("metadata") or {}
    try:
        identity = Identity(
            document["apiVersion"], document["kind"], metadata.get("namespace", ""), metadata["name"]
        )
    except KeyError as error:
        raise DeliveryError(f"an object without {error}: {document.get('kind', document)}") from None
    return [Manifest(identity, document)]
