"""One wrong thing in an overlay that is right otherwise: what a rule has to catch to be worth its name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.manifests.objects import Identity, Manifest
from tests.manifests.policy.model import Rendered

REMOVED = object()


@dataclass(frozen=True)
class Added:
    """Goes to the end of a list."""

    item: Any


@dataclass(frozen=True)
class Mutant:
    """At `path` of an object ("Kind name") there is `value` instead. Steps into lists are numbers, names or templateNames."""

    rule: str
    target: str
    path: str
    value: Any = REMOVED
    of: str = "production"

    def __str__(self) -> str:
        shown = repr(getattr(self.value, "item", self.value))
        if self.value is REMOVED or callable(self.value):
            shown = "removed" if self.value is REMOVED else "changed"
        return f"{self.rule}:{self.target}:{self.path}={shown}"[:120]

    def born(self, rendered: Rendered) -> Rendered:
        """The overlay with this one thing wrong. Raises LookupError where there is nothing to break."""
        manifests, hit = [], False
        for manifest in rendered.manifests:
            if str(manifest.identity.unhashed) == self.target:
                manifest, hit = self._broken(manifest), True
            if manifest is not None:
                manifests.append(manifest)
        if not hit:
            raise LookupError(f"no {self.target} in {self.of}")
        return Rendered(rendered.overlay, tuple(manifests))

    def _broken(self, manifest: Manifest) -> Any:
        if not self.path:
            return None if self.value is REMOVED else self.value(manifest)
        body = copy.deepcopy(manifest.body)
        *steps, last = (step.replace("~1", "/") for step in self.path.split("/"))
        node: Any = body
        for step in steps:
            node = _inside(node, step)
        _put(node, last, self.value)
        metadata = body["metadata"]
        identity = Identity(body["apiVersion"], body["kind"], metadata.get("namespace", ""), metadata["name"])
        return Manifest(identity, body)


def _inside(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return node.setdefault(step, {})
    if step.lstrip("-").isdigit():
        return node[int(step)]
    for item in node:
        if step in (item.get("name"), item.get("alert"), item.get("kind")):
            return item
    raise LookupError(step)


def _put(node: Any, last: str, value: Any) -> None:
    if isinstance(value, Added):
        node.setdefault(last, []).append(value.item)
    elif isinstance(node, list):
        at = node.index(_inside(node, last))
        if value is REMOVED:
            del node[at]
        else:
            node[at] = value
    elif value is REMOVED:
        del node[last]
    else:
        node[last] = value(node.get(last)) if callable(value) else value


def renamed(kind: str, name: str) -> Callable[[Manifest], Manifest]:
    """The same object under another kind and name."""

    def make(manifest: Manifest) -> Manifest:
        body = {**manifest.body, "kind": kind, "metadata": {**manifest.body["metadata"], "name": name}}
        return Manifest(Identity(body["apiVersion"], kind, manifest.identity.namespace, name), body)

    return make
