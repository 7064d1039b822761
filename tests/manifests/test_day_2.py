"""What docs/deploy.md and kustomize/README.md tell people to change in an overlay passes every rule, as it is printed there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.manifests.kustomize import ROOT, render
from deploy.manifests.objects import parse
from tests.manifests.policy.model import Rendered
from tests.manifests.policy.rulebook import RULES
from tests.manifests.rendering import overlay
from tests.manifests.schema_check import errors, has_schema, minors

Kustomization = dict[str, Any]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
README = (ROOT / "kustomize" / "README.md").read_text(encoding="utf-8")
IDENTITY = (ROOT / "docs" / "identity.md").read_text(encoding="utf-8")


def blocks(text: str, heading: str) -> list[Kustomization]:
    """The YAML that is printed below a heading."""
    part = re.split(r"\n#+ ", text.split(f"# {heading}\n", 1)[1])[0]
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)]


def day_2(wish: str) -> str:
    """The second cell of a row of the table."""
    (row,) = (line for line in DEPLOY.splitlines() if line.startswith(f"| {wish} |"))
    return row.split(" | ", 1)[1].removesuffix(" |")


@dataclass(frozen=True)
class Changed:
    """The overlay's kustomization and its folder, as somebody edits them; what was changed so before stays as it is."""

    text: Kustomization
    folder: Path

    def lists(self, *names: str) -> None:
        listed = self.text["components"]
        listed += [name for name in names if name not in listed]

    def instead(self, new: str, old: str) -> None:
        listed = self.text["components"]
        if old in listed and new not in listed:
            listed[listed.index(old)] = new
        self.lists(new)

    def says(self, printed: Kustomization) -> None:
        for key, items in printed.items():
            there = self.text.setdefault(key, [])
            names = {item.get("name") for item in there if isinstance(item, dict)} - {None}
            there += [
                item
                for item in items
                if item not in there and not (isinstance(item, dict) and item.get("name") in names)
            ]


def component(name: str) -> str:
    return f"../../components/{name}"


def pinned(it: Changed) -> None:
    printed = re.search(r"`- (\{name: slipway-models.*?\})` below `(\w+):`", day_2("versions fixed in Git"))
    assert printed is not None
    it.lists(component("pinned"))
    it.says({printed[2]: [yaml.safe_load(printed[1])]})


def keda(it: Changed) -> None:
    assert "`components/autoscaling-keda` for `autoscaling-hpa`" in day_2(
        "concurrency instead of CPU, or back"
    )
    it.instead(component("autoscaling-keda"), component("autoscaling-hpa"))


def hpa(it: Changed) -> None:
    it.instead(component("autoscaling-hpa"), component("autoscaling-keda"))


def gateway(it: Changed) -> None:
    assert "`components/gateway` for `components/ingress`" in day_2("a Gateway instead of an Ingress")
    it.instead(component("gateway"), component("ingress"))


def canaries(it: Changed) -> None:
    assert "`components/rollouts`, last in the list" in day_2("canaries judged by metrics")
    it.lists(component("rollouts"))


def jobs(it: Changed) -> None:
    (printed,) = blocks(DEPLOY, "Jobs")
    it.lists(component("retrain"), component("batch-ray"))
    it.says(printed)


def ray(it: Changed) -> None:
    assert "`components/batch-ray/ray` after it" in day_2("tables every night")
    (printed,) = blocks(DEPLOY, "Jobs")
    it.lists(component("batch-ray"), component("batch-ray/ray"))
    it.says(printed)


def login(it: Changed) -> None:
    file, printed = blocks(README, "A Prometheus with a login")
    (it.folder / "login.yaml").write_text(yaml.safe_dump(file))
    it.says(printed)


def fewer_models(it: Changed) -> None:
    line = re.search(r"`(MODELS=\S+)` in `settings.env`", day_2("fewer or other models"))
    assert line is not None
    file = it.folder / "settings.env"
    others = [each for each in file.read_text().splitlines() if not each.startswith("MODELS=")]
    file.write_text("\n".join([*others, line[1], ""]))


def service_accounts(it: Changed) -> None:
    """The policy names the namespace of production."""
    heading = "Pods that call with their ServiceAccount"
    part = README.split(f"# {heading}\n", 1)[1]
    policy = re.findall(r"```toml\n(.*?)```", part, re.DOTALL)[0]
    printed, with_cilium = blocks(README, heading)
    assert (
        with_cilium["kind"] == "CiliumNetworkPolicy"
    )  # a file of clusters that have it: no schema of ours knows it
    it.says(printed)
    with (it.folder / "policy.toml").open("a") as file:
        file.write(policy.replace("slipway-production", it.text["namespace"]))


def kserve_canary(it: Changed) -> None:
    assert "the line `- canary` in the overlay" in DEPLOY
    it.lists("canary")


def spool(it: Changed) -> None:
    it.lists(component("spool-volume"))


CHANGES: tuple[tuple[str, Callable[[Changed], None]], ...] = (
    *((overlay, pinned) for overlay in ("staging", "production", "aws")),
    *((overlay, keda) for overlay in ("staging", "aws")),
    ("production", hpa),
    *((overlay, gateway) for overlay in ("staging", "production")),
    *((overlay, canaries) for overlay in ("staging", "production", "aws")),
    *((overlay, service_accounts) for overlay in ("staging", "production", "aws")),
    *((overlay, jobs) for overlay in ("staging", "production", "aws")),
    *(("production", change) for change in (ray, login, fewer_models, spool)),
    ("kserve", kserve_canary),
)


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=lambda it: getattr(it, "__name__", it))
def test_what_is_printed_passes_as_it_is_printed(
    name: str, change: Callable[[Changed], None], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "kustomize", tmp_path / "kustomize")
    folder = tmp_path / "kustomize" / "overlays" / name
    file = folder / "kustomization.yaml"
    changed = Changed(yaml.safe_load(file.read_text(encoding="utf-8")), folder)
    change(changed)
    file.write_text(yaml.safe_dump(changed.text), encoding="utf-8")
    rendered = Rendered(name, tuple(parse(render(folder))))
    assert [f"{rule.name}: {each}" for rule in RULES.values() for each in rule.findings(rendered)] == []
    known = [manifest for manifest in rendered.manifests if has_schema(manifest)]
    assert [what for manifest in known for what in errors(manifest, minors()[-1])] == []


def test_the_way_to_an_issuer_opens_the_internet_and_nothing_else() -> None:
    (printed,) = blocks(IDENTITY, "An OIDC provider")
    printed["metadata"]["namespace"] = "slipway-production"  # as the overlay sets it
    added = parse(yaml.safe_dump(printed))
    rendered = Rendered("production", (*overlay("production"), *added))
    found = [f"{rule.name}: {each}" for rule in RULES.values() for each in rule.findings(rendered)]
    assert found == [
        "flows: production: service -> internet TCP 443 is let through, and is not among the flows"
    ]
    assert [what for manifest in added for what in errors(manifest, minors()[-1])] == []
