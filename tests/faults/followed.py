"""A registry that services follow: a real MLflow server behind a proxy, and tiny versions of iris, whose answers are checked."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import mlflow

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import MODEL, SIGNATURE
from serving.agent.registry import SERVABLE_PATH, TAG_APPROVED, TAG_DIGEST
from serving.loaded_model import load_model
from tests.e2e.load import Answer
from tests.e2e.running_service import RunningService
from tests.faults.proxy import FaultyProxy
from tests.mlflow_server import MlflowServer
from tests.model_signing_keys import new_pair
from tests.tiny_servables import write_tiny

POLL_SECONDS = "0.3"


class Followed(AbstractContextManager["Followed"]):
    """`clients` and tests talk to the server itself; services through the proxy, which counts questions for a graph."""

    def __init__(self) -> None:
        self._parts = ExitStack()
        self.folder = Path(self._parts.enter_context(tempfile.TemporaryDirectory(prefix="slipway-followed-")))
        self.keys = new_pair(self.folder / "keys")
        server = MlflowServer(self.folder)
        self._parts.callback(server.stop)
        port = urlsplit(server.url).port
        assert port is not None
        self.proxy = self._parts.enter_context(FaultyProxy(("127.0.0.1", port), counted=MODEL.encode()))
        self._client = mlflow.MlflowClient(server.url, server.url)
        self._client.create_registered_model(IRIS.registry_name)
        self._experiment = self._client.create_experiment("followed")
        self.runs: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def good(self, *, signed: bool = True) -> str:
        """Another version, that answers like no other; its number."""
        source = self.folder / f"good-{len(self.runs)}"
        digest = write_tiny(IRIS, source, bias=float(3 * len(self.runs)))
        return self.register(source, digest, signed=signed)

    def register(self, source: Path, digest: str, *, signed: bool = True, approved: bool = False) -> str:
        """The folder as a version, as it is; its number. A signature that it holds goes along."""
        run = self._client.create_run(self._experiment).info.run_id
        made = self._client.create_model_version(
            IRIS.registry_name, f"runs:/{run}/pipeline", run, tags={TAG_DIGEST: digest}
        )
        number = str(made.version)
        if signed:
            self.keys.sign(source, number)
        if (source / SIGNATURE).is_file():
            shutil.move(source / SIGNATURE, source.with_suffix(".sig"))
            self._client.log_artifact(run, str(_named(source.with_suffix(".sig"))))
        self._client.log_artifacts(run, str(source), SERVABLE_PATH)
        if approved:
            self._client.set_model_version_tag(IRIS.registry_name, number, TAG_APPROVED, "true")
        self.runs[number] = str(source)
        return number

    def point(self, number: str) -> None:
        self._client.set_registered_model_alias(IRIS.registry_name, "production", number)

    def service(self, name: str, **settings: str) -> RunningService:
        """Ready, with its agent; ends with this."""
        folder = self.folder / name
        folder.mkdir()
        service = RunningService(
            folder,
            tracking_uri=f"http://127.0.0.1:{self.proxy.port}",
            database_url=f"sqlite:///{folder / 'slipway.db'}",
            MODELS="iris",
            MODEL_POLL_SECONDS=POLL_SECONDS,
            MODEL_VERIFY_KEYS_FILE=str(self.keys.public),
            REQUIRE_SIGNED_MODELS="true",
            **settings,
        )
        return self._parts.enter_context(service)

    def wrong(self, answers: Sequence[Answer]) -> int:
        """How many are not what the version that they name computes, bit for bit."""
        by_version: dict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            by_version[answer.body["model_version"]].append(answer)
        return sum(self._wrong(version, given) for version, given in by_version.items())

    def _wrong(self, version: str, given: Sequence[Answer]) -> int:
        model = load_model(Path(self.runs[version]), IRIS, version=version)
        outcomes = model.predict([model.reader.from_object(answer.row) for answer in given])
        return sum(
            (answer.body["prediction"], answer.body["probabilities"])
            != (outcome.prediction, outcome.probabilities)
            for answer, outcome in zip(given, outcomes, strict=True)
        )


def _named(signature: Path) -> Path:
    """Under the name that it has in a run."""
    folder = signature.parent / f"{signature.name}.d"
    folder.mkdir()
    return Path(shutil.move(signature, folder / SIGNATURE))
