"""Rules about the course of a canary: small first, judged before each step up, by numbers that its arguments bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from deploy.manifests.objects import Manifest
from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule

FIRST_WEIGHT = 25
USED = re.compile(r"\{\{\s*args\.([\w-]+)\s*\}\}")
THRESHOLD = re.compile(r"result\[0\] (>=|<) ([\d.]+)")
STRICT = 0.9  # of a share: whoever lets a tenth of all answers fail has not meant it


@rule("canary-steps", "traffic before the verdict is the outage that the canary was to prevent")
def canary_steps(rendered: Rendered) -> Iterator[Finding]:
    for rollout in rendered.of("Rollout"):
        weights, judged = [0], True
        for step in rollout.body["spec"]["strategy"]["canary"]["steps"]:
            if "setWeight" in step:
                if not judged:
                    yield found(rollout, f"goes to {step['setWeight']} % before {weights[-1]} % are judged")
                weights, judged = [*weights, step["setWeight"]], False
            judged = judged or "analysis" in step
        if not judged:
            yield found(rollout, f"does not judge its last {weights[-1]} %")
        if sorted(set(weights)) != weights or weights[-1] >= 100 or weights[1:2] > [FIRST_WEIGHT]:
            yield found(rollout, f"goes from {weights} % to all of it")


@rule(
    "analysis-arguments",
    "an argument that nobody gives is an analysis that ends in an error, and with it the release",
)
def analysis_arguments(rendered: Rendered) -> Iterator[Finding]:
    for template in rendered.of("AnalysisTemplate"):
        spec = template.body["spec"]
        declared = {argument["name"]: argument for argument in spec.get("args", ())}
        used = set(USED.findall(str(spec["metrics"])))
        if used != set(declared):
            yield found(template, f"declares {sorted(declared)} and uses {sorted(used)}")
        wanted = {name for name, argument in declared.items() if not {"value", "valueFrom"} & set(argument)}
        for rollout, given in _asked(rendered, template.identity.name):
            if not wanted <= given <= set(declared):
                yield found(
                    rollout, f"gives {template.identity.name} {sorted(given)}; it wants {sorted(wanted)}"
                )


def _asked(rendered: Rendered, name: str) -> Iterator[tuple[Manifest, set[str]]]:
    for rollout in rendered.of("Rollout"):
        for step in rollout.body["spec"]["strategy"]["canary"]["steps"]:
            analysis: dict[str, Any] = step.get("analysis") or {}
            if name in {template["templateName"] for template in analysis.get("templates", ())}:
                yield rollout, {argument["name"] for argument in analysis.get("args", ())}


@rule(
    "honest-verdicts", "a condition that everything meets is no judgement; one number divides good from bad"
)
def honest_verdicts(rendered: Rendered) -> Iterator[Finding]:
    for template in rendered.of("AnalysisTemplate"):
        for metric in template.body["spec"]["metrics"]:
            good, bad = (
                THRESHOLD.findall(metric.get(f"{each}Condition", "")) for each in ("success", "failure")
            )
            numbers = {float(number) for _, number in (*good, *bad)}
            if (
                len(numbers) != 1
                or [sign for sign, _ in good] != [">="]
                or any(sign != "<" for sign, _ in bad)
            ):
                yield found(template, f"{metric['name']}: good is {good}, bad is {bad}")
            elif bad and min(numbers) < STRICT:
                yield found(template, f"{metric['name']}: {min(numbers)} is good enough")
            elif min(numbers) <= 0:
                yield found(template, f"{metric['name']}: everything is enough")


@rule(
    "one-template",
    "a Rollout that says itself which pods are its own disagrees with the Deployment that it borrows from",
)
def one_template(rendered: Rendered) -> Iterator[Finding]:
    for rollout in rendered.of("Rollout"):
        for field in sorted({"selector", "template"} & set(rollout.body["spec"])):
            yield found(rollout, f"has a {field} beside workloadRef")


RULES: tuple[Rule, ...] = (one_template, canary_steps, analysis_arguments, honest_verdicts)
