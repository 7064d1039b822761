"""The smoke test: a few questions per model that a broken deployment cannot answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from k8s.report import Finding, Table, failed, ok, warning
from k8s.smoke.answers import Prediction, implausible, problem, read_prediction
from k8s.smoke.endpoint import Answer, Endpoint
from modelkit.definition import ModelDefinition

# A balancer may send every request to another replica, each with a cache of its own.
CACHE_ATTEMPTS = 8
ADVICE = {
    401: "the token is not one of this service's: same key, issuer (JWT_ISSUER) and audience (JWT_AUDIENCE)?",
    403: "the token lacks the scope `predict`",
    404: "no features for the example's entity: was `python -m training materialize` run for this environment?",
    429: "the caller's quota is used up: wait, or ask with another identity",
    503: "the model is not ready: `python -m k8s models` says why",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked. `expected` are versions that must answer; `requests` are counted for the p95 of each model."""

    token: str
    requests: int = 20
    expected: Mapping[str, str]
    needs_cache: bool = True
    slowest_p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One model, asked."""

    model: str
    version: str
    p95_ms: float | None
    findings: tuple[Finding, ...]


def smoke(
    endpoint: Endpoint, definitions: Sequence[ModelDefinition], plan: Plan
) -> tuple[Iterable[Finding], Table]:
    asked = [ask_model(endpoint, definition, plan) for definition in definitions]
    findings = [*check_refusals(endpoint, definitions[0], plan.token)]
    findings += [finding for one in asked for finding in one.findings]
    rows = tuple((one.model, one.version or "-", _milliseconds(one.p95_ms)) for one in asked)
    return findings, Table(name="models", columns=("model", "version", "p95_ms"), rows=rows)


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def check_refusals(endpoint: Endpoint, definition: ModelDefinition, token: str) -> Iterable[Finding]:
    """What must be refused is refused, as a problem document: no token, a token of nobody, and nonsense in the body."""
    path, row = f"/predict/{definition.name}", _row(definition)
    yield _refusal("no token", endpoint.ask("POST", path, body=row), status=401)
    yield _refusal("a forged token", endpoint.ask("POST", path, token=_forged(token), body=row), status=401)
    bad = endpoint.ask("POST", path, token=token, body={"no": "such field"})
    yield _refusal("a bad body", bad, status=400)


def _forged(token: str) -> str:
    """The same header and claims under another signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}" if head else "none"


def _refusal(what: str, answer: Answer, *, status: int) -> Finding:
    check = f"refuses {what}"
    if answer.status != status:
        return failed(
            check, f"{status} was expected, the answer was {problem(answer)}", ADVICE.get(answer.status, "")
        )
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return failed(check, f"{status}, but not as application/problem+json: something stands in between")
    return ok(check, str(status))


def ask_model(endpoint: Endpoint, definition: ModelDefinition, plan: Plan) -> Asked:
    """One example, the same again from the cache, and then as often as the p95 needs."""
    answer = _ask(endpoint, definition, plan)
    found = _judged(definition, answer)
    if isinstance(found, Finding):
        return Asked(model=definition.name, version="", p95_ms=None, findings=(found,))
    findings = [ok(definition.name, f"{_value(found)} by version {found.model_version}")]
    findings += _version_findings(definition.name, found, plan.expected)
    findings += _repeated(endpoint, definition, plan, first=found)
    answers = [_ask(endpoint, definition, plan) for _ in range(plan.requests)]
    p95 = _p95_ms(answers)
    findings += [*_refused(definition.name, answers), *_slow(definition.name, p95, plan.slowest_p95_ms)]
    return Asked(model=definition.name, version=found.model_version, p95_ms=p95, findings=tuple(findings))


def _row(definition: ModelDefinition) -> dict[str, Any]:
    return dict(definition.examples[0])


def _ask(endpoint: Endpoint, definition: ModelDefinition, plan: Plan) -> Answer:
    return endpoint.ask("POST", f"/predict/{definition.name}", token=plan.token, body=_row(definition))


def _judged(definition: ModelDefinition, answer: Answer) -> Prediction | Finding:
    if answer.status != 200:
        return failed(definition.name, problem(answer), ADVICE.get(answer.status, ""))
    found = read_prediction(answer)
    if isinstance(found, str):
        return failed(definition.name, found)
    wrong = implausible(definition, found, answer.headers)
    return failed(definition.name, wrong) if wrong else found


def _value(found: Prediction) -> str:
    value = found.prediction
    return value if isinstance(value, str) else f"{value:.2f} {found.units}"


def _version_findings(model: str, found: Prediction, expected: Mapping[str, str]) -> Iterable[Finding]:
    wanted = expected.get(model)
    if wanted is not None and wanted != found.model_version:
        yield failed(
            model,
            f"version {found.model_version} answers, {wanted} was expected",
            "the replicas follow the registry within MODEL_POLL_SECONDS; a version that does not fit stays out",
            "python -m k8s models",
        )


def _repeated(
    endpoint: Endpoint, definition: ModelDefinition, plan: Plan, *, first: Prediction
) -> Iterable[Finding]:
    """An equal request has an equal answer, and one of a few comes from the cache."""
    hit = False
    for _ in range(CACHE_ATTEMPTS):
        again = _judged(definition, _ask(endpoint, definition, plan))
        if isinstance(again, Finding):
            yield again
            return
        if again.model_version == first.model_version and again.prediction != first.prediction:
            yield failed(
                definition.name,
                f"the same request to version {first.model_version}: {_value(first)}, then {_value(again)}",
            )
            return
        hit = hit or again.cached
        if hit:
            break
    yield _cached(definition.name, hit=hit, needed=plan.needs_cache)


def _cached(model: str, *, hit: bool, needed: bool) -> Finding:
    if hit or not needed:
        return ok(model, "the same again" + (", from the cache" if hit else ""))
    text = f"none of {CACHE_ATTEMPTS} equal requests was answered from the cache"
    return failed(model, text, "is CACHE_ENABLED off on purpose? Then say --no-cache")


def _p95_ms(answers: Sequence[Answer]) -> float | None:
    seconds = sorted(answer.seconds for answer in answers)
    return 1000 * seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else None


def _refused(model: str, answers: Sequence[Answer]) -> Iterable[Finding]:
    wrong = [answer for answer in answers if answer.status != 200]
    if wrong:
        text = f"{len(wrong)} of {len(answers)} equal requests failed, the last with {problem(wrong[-1])}"
        yield failed(model, text, ADVICE.get(wrong[-1].status, ""))


def _slow(model: str, p95_ms: float | None, limit: float | None) -> Iterable[Finding]:
    if p95_ms is not None and limit is not None and p95_ms > limit:
        yield warning(model, f"p95 {p95_ms:.1f} ms, more than {limit:g} ms")
