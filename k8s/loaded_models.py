"""What each pod serves against what it should: the registry's alias as the pods see it, per pod and model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from k8s.api.cluster import Cluster
from k8s.api.objects import Pod
from k8s.errors import ClusterError, Unreachable
from k8s.forwarding import HTTP_PORT, METRICS_PORT, PodEndpoint
from k8s.report import Finding, Table, failed, ok, warning
from k8s.scrape import Scrape
from k8s.smoke.answers import problem

ANOTHER = "another"  # what is wanted, where only the metric of the skew was asked
READY = "ready"


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """One model in one pod. `desired` is empty where the pod knows none."""

    model: str
    loaded: str
    desired: str
    state: str
    reason: str = ""
    stale: bool = False

    @property
    def is_skewed(self) -> bool:
        return self.loaded != self.desired


@dataclass(frozen=True, kw_only=True)
class PodModels:
    """One pod; `problem` says why nothing is known."""

    pod: str
    models: tuple[ModelState, ...] = ()
    problem: str = ""


class _Listed(msgspec.Struct, frozen=True):
    """One entry of `GET /models`."""

    name: str
    state: str
    loaded: str | None = None
    desired: str | None = None
    reason: str = ""
    stale: bool = False


class _Models(msgspec.Struct, frozen=True):
    models: tuple[_Listed, ...]


def read_pod(cluster: Cluster, pod: Pod, token: str) -> PodModels:
    """With a token from the API, which says why; without one from the metrics, which need none."""
    port = HTTP_PORT if token else METRICS_PORT
    try:
        with PodEndpoint(cluster, pod, port) as endpoint:
            if not token:
                text = endpoint.ask("GET", "/metrics").body.decode("utf-8", "replace")
                return PodModels(pod=pod.name, models=from_metrics(Scrape(text)))
            answer = endpoint.ask("GET", "/models", token=token)
            if answer.status != 200:
                return PodModels(pod=pod.name, problem=f"GET /models: {problem(answer)}")
            return PodModels(pod=pod.name, models=from_listing(answer.body))
    except ClusterError as error:
        return PodModels(pod=pod.name, problem=f"cannot be asked: {error}")


def from_listing(body: bytes) -> tuple[ModelState, ...]:
    try:
        listed = msgspec.json.decode(body, type=_Models)
    except msgspec.DecodeError as error:
        raise Unreachable(f"GET /models: not a list of models ({error})") from error
    return tuple(
        ModelState(
            model=entry.name,
            loaded=entry.loaded or "",
            desired=entry.desired or "",
            state=entry.state,
            reason=entry.reason,
            stale=entry.stale,
        )
        for entry in listed.models
    )


def from_metrics(scrape: Scrape) -> tuple[ModelState, ...]:
    """The version wanted is not in the metrics, only whether it is the one that serves."""
    states = {
        sample.labels["model"]: sample.labels["state"]
        for sample in scrape.named("slipway_model_state")
        if sample.value and {"model", "state"} <= set(sample.labels)
    }
    found = []
    for model, state in sorted(states.items()):
        versions = [
            sample.labels.get("version", "")
            for sample in scrape.named("slipway_model_info", model=model)
            if sample.value
        ]
        loaded = versions[0] if versions else ""
        skewed = scrape.total("slipway_model_version_skew", model=model) > 0 or not loaded
        found.append(
            ModelState(model=model, loaded=loaded, desired=ANOTHER if skewed else loaded, state=state)
        )
    return tuple(found)


def judge(pods: Sequence[PodModels]) -> Iterator[Finding]:
    """Per model, over all pods; a model that is the same and wanted everywhere is one line."""
    for pod in pods:
        if pod.problem:
            yield failed(pod.pod, pod.problem, "", "python -m k8s diagnose")
    for model, places in sorted(_by_model(pods).items()):
        wrong = [*_wrong(model, places)]
        yield from wrong or [ok(model, f"version {places[0][1].loaded} in {len(places)} pods")]


def _by_model(pods: Sequence[PodModels]) -> dict[str, list[tuple[str, ModelState]]]:
    found: dict[str, list[tuple[str, ModelState]]] = defaultdict(list)
    for pod in pods:
        for state in pod.models:
            found[state.model].append((pod.pod, state))
    return found


def _wrong(model: str, places: list[tuple[str, ModelState]]) -> Iterator[Finding]:
    why = "the pods follow the registry within MODEL_POLL_SECONDS: ask again; then look at the agent's log"
    for pod, state in places:
        said = f" ({state.reason})" if state.reason else ""
        if not state.loaded:
            yield failed(model, f"{pod} serves none, it is {state.state}{said}", why)
        elif state.is_skewed:
            yield failed(model, f"{pod} serves {state.loaded}, wanted is {state.desired}{said}", why)
        elif state.state != READY:
            yield failed(model, f"{pod} is {state.state}{said}", why)
        elif state.stale:
            yield warning(
                model, f"{pod} serves {state.loaded} from before: the registry has not answered{said}"
            )
    if len(wanted := {state.desired for _, state in places if state.desired}) > 1:
        yield failed(model, f"the pods want different versions: {', '.join(sorted(wanted))}", why)


def table(pods: Sequence[PodModels]) -> Table:
    rows = tuple(
        (state.model, pod.pod, state.loaded or "-", state.desired or "-", _remark(state))
        for pod in pods
        for state in pod.models
    )
    columns = ("model", "pod", "loaded", "desired", "state")
    return Table(name="models", columns=columns, rows=tuple(sorted(rows)))


def _remark(state: ModelState) -> str:
    skew = ", SKEW" if state.is_skewed else ""
    stale = ", stale" if state.stale else ""
    return f"{state.state}{skew}{stale}"
