"""The model registry: the only place on the training side that knows it is MLflow."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow
import mlflow.artifacts
import mlflow.sklearn
from mlflow.entities import Metric, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR, MLFLOW_HTTP_REQUEST_MAX_RETRIES
from mlflow.exceptions import MlflowException
from mlflow.models import get_model_info, infer_signature
from mlflow.tracking import MlflowClient

from training.errors import NotRegistered, RegistryFailed
from training.fitting.pipeline_file import TRUSTED_TYPES
from training.version import APPROVED_TAG, DIGEST_TAG, GIT_TAG, WITHDRAWN_TAG, Registration, Version

SERVABLE, EVALUATION = "servable", "evaluation"
STUDY_TAG = "slipway.study"
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # no such model or version; no such alias
RETRIES = 3  # of a request to a server; MLflow's own seven keep a terminal waiting for minutes
REQUIREMENTS = ("scikit-learn", "catboost", "numpy", "pandas", "skops")


@contextmanager
def said_in_one_line() -> Iterator[None]:
    """MLflow's failures as ours."""
    try:
        yield
    except MlflowException as error:
        raise RegistryFailed(str(error).splitlines()[0]) from error


class Registry:
    """Versions, aliases and artifacts at one tracking URI."""

    def __init__(self, tracking_uri: str) -> None:
        # MLflow sets up its own logging on import, and draws progress bars unless told otherwise.
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)  # type: ignore[no-untyped-call]
        if not MLFLOW_HTTP_REQUEST_MAX_RETRIES.is_set():  # type: ignore[no-untyped-call]
            MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(RETRIES)  # type: ignore[no-untyped-call]
        mlflow.set_tracking_uri(tracking_uri)
        self._client = MlflowClient(tracking_uri)

    def add(self, new: Registration) -> Version:
        """A run from the stage files and a version of its pipeline; none where the servable is registered already."""
        return self._with_digest(new) or self._create(new)

    def tag(self, version: Version, name: str, value: str) -> None:
        self._client.set_model_version_tag(version.registry_name, version.number, name, value)

    def by_alias(self, registry_name: str, alias: str) -> Version | None:
        try:
            return self._version(self._client.get_model_version_by_alias(registry_name, alias))
        except MlflowException as error:
            if error.error_code in NOT_THERE:
                return None
            raise

    def by_number(self, registry_name: str, number: str) -> Version:
        try:
            return self._version(self._client.get_model_version(registry_name, number))
        except MlflowException as error:
            if error.error_code not in NOT_THERE:
                raise
            raise NotRegistered(f"{registry_name} has no version {number}") from error

    def versions(self, registry_name: str) -> list[Version]:
        """Newest first."""
        found = self._client.search_model_versions(f"name='{registry_name}'")
        numbers = sorted((int(item.version) for item in found), reverse=True)
        return [self.by_number(registry_name, str(number)) for number in numbers]

    def move_alias(self, version: Version, alias: str) -> None:
        self._client.set_registered_model_alias(version.registry_name, alias, version.number)

    def remove_alias(self, registry_name: str, alias: str) -> None:
        self._client.delete_registered_model_alias(registry_name, alias)

    def mark(self, version: Version, *, approved: bool, withdrawn: str | None) -> None:
        """The serving side falls back to approved versions only; a withdrawn one is not promoted unasked."""
        for name, value in ((APPROVED_TAG, "true" if approved else None), (WITHDRAWN_TAG, withdrawn)):
            if value is None:
                self._client.delete_model_version_tag(version.registry_name, version.number, name)
            else:
                self.tag(version, name, value)

    def has_signature(self, version: Version) -> bool:
        """MLflow registers versions without one and says nothing (a nullable integer in the example is enough)."""
        return get_model_info(version.source).signature is not None

    def download(self, version: Version, artifact: str, destination: Path) -> Path:
        """A folder or file of the version's run."""
        found = mlflow.artifacts.download_artifacts(
            run_id=version.run_id, artifact_path=artifact, dst_path=str(destination)
        )
        return Path(found)

    def holds(self, version: Version, artifact: str) -> bool:
        """Whether the version's run has a folder or file of this path."""
        folder = artifact.rpartition("/")[0]
        return artifact in {
            found.path for found in self._client.list_artifacts(version.run_id, folder or None)
        }

    def keep_file(self, version: Version, path: Path) -> None:
        """Beside the version's servable."""
        self._client.log_artifact(version.run_id, str(path))

    def keep_report(self, version: Version, name: str, report: dict[str, Any]) -> None:
        self._client.log_dict(version.run_id, report, f"gates/{name}.json")

    def _with_digest(self, new: Registration) -> Version | None:
        digests = {version.digest: version for version in self.versions(new.registry_name)}
        return digests.get(new.tags[DIGEST_TAG])

    def _create(self, new: Registration) -> Version:
        mlflow.set_experiment(new.model)
        tags = {**new.tags, "mlflow.source.git.commit": new.tags[GIT_TAG]}
        with mlflow.start_run(run_name=f"{new.model} {new.tags[DIGEST_TAG][7:15]}", tags=tags) as run:
            mlflow.log_params(new.params)
            mlflow.log_metrics({_metric_name(name): value for name, value in new.metrics.items()})
            mlflow.log_artifacts(str(new.servable), SERVABLE)
            for folder, path in new.evidence:
                mlflow.log_artifact(str(path), folder)
            info = mlflow.sklearn.log_model(
                new.pipeline,
                name="pipeline",
                signature=infer_signature(new.example, new.answer),
                input_example=new.example,
                skops_trusted_types=TRUSTED_TYPES,
                pip_requirements=[f"{name}=={installed(name)}" for name in REQUIREMENTS],
            )
        self._ensure_name(new.registry_name)
        created = self._client.create_model_version(
            new.registry_name, info.model_uri, run.info.run_id, tags=new.tags, model_id=info.model_id
        )
        return self._version(created)

    def _ensure_name(self, registry_name: str) -> None:
        try:
            self._client.create_registered_model(registry_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _version(self, found: ModelVersion) -> Version:
        return Version(
            registry_name=found.name,
            number=str(found.version),
            run_id=found.run_id or "",
            source=found.source or "",
            tags=dict(found.tags),
            aliases=tuple(found.aliases),
        )


def _metric_name(name: str) -> str:
    """MLflow refuses `=` in a metric's name: `slice.city=urban.mae` becomes `slice.city/urban.mae`."""
    return re.sub(r"[^\w.\- :/]", "/", name)


class SearchRuns:
    """Trials of one hyperparameter search, as runs nested under one run of the study. Implements `search.TrialLog`.

    Machines that share a study share its run, as long as they share a tracking server.
    """

    def __init__(self, tracking_uri: str, model: str, study: str) -> None:
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._client = MlflowClient(tracking_uri)
        found = self._client.get_experiment_by_name(model)
        self._experiment = found.experiment_id if found else self._client.create_experiment(model)
        self._study = study
        if self._earliest() is None:
            tags = {STUDY_TAG: study, "mlflow.runName": f"search {study}"}
            self._client.create_run(self._experiment, tags=tags)

    def add(self, name: str, *, params: Mapping[str, Any], figures: Mapping[str, float], state: str) -> None:
        tags = {"mlflow.parentRunId": self._earliest(), "mlflow.runName": name, "slipway.trial_state": state}
        run = self._client.create_run(self._experiment, tags=tags)
        self._log(run.info.run_id, params, figures)
        self._client.set_terminated(run.info.run_id)

    def finish(self, params: Mapping[str, Any], figures: Mapping[str, float], diff: str) -> None:
        """The best of the study on its own run, and what it changes in `params.yaml`."""
        run_id = self._earliest() or ""
        self._log(run_id, params, figures)
        self._client.log_text(run_id, diff, "params.yaml.diff")
        self._client.set_terminated(run_id)

    def _earliest(self) -> str | None:
        """Two machines may both have made a run for the study; everybody takes the first."""
        runs = self._client.search_runs(
            [self._experiment], f"tags.`{STUDY_TAG}` = '{self._study}'", order_by=["start_time ASC"]
        )
        return str(runs[0].info.run_id) if runs else None

    def _log(self, run_id: str, params: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(_metric_name(name), value, now, 0) for name, value in figures.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
        )
