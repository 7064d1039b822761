"""The peers: what each is, how it is started, and in which format it takes a row.

Every peer runs one worker, without access logs, at its own default limits. Where a default is against a peer on one core
(MLServer's second process), the setting that is better for the peer is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench import bodies

UVICORN = ("python", "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "{port}")
FAST_UVICORN = (
    *UVICORN,
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--log-level",
    "warning",
)
BENTO_SERVE = ("python", "-m", "bentoml", "serve")
BENTO_ADDRESS = ("--host", "127.0.0.1", "--port", "{port}")


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A server in the comparison. `{port}` and `{saved}` in `command` are filled in; it runs in its peer's folder."""

    name: str
    title: str
    peer: str
    command: tuple[str, ...]
    path: str = "/predict"
    body: Callable[[Mapping[str, Any]], Any] = bodies.plain
    features_on: bool = False
    batches: bool = False
    answers_predictions: bool = True


FLOOR = Contestant(
    name="floor",
    title="empty handler on uvicorn (the floor)",
    peer="floor",
    command=FAST_UVICORN,
    answers_predictions=False,
)
FASTAPI = Contestant(name="fastapi", title="FastAPI", peer="fastapi", command=FAST_UVICORN)
FASTAPI_FEATURES = Contestant(
    name="fastapi-features",
    title="FastAPI, same features on",
    peer="fastapi_features",
    command=FAST_UVICORN,
    features_on=True,
)
BENTOML = Contestant(
    name="bentoml",
    title="BentoML `@bentoml.api`",
    peer="bentoml",
    command=(*BENTO_SERVE, "plain:Predictor", *BENTO_ADDRESS),
    body=bodies.bentoml_row,
)
BENTOML_BATCHABLE = Contestant(
    name="bentoml-batchable",
    title="BentoML `batchable=True`",
    peer="bentoml",
    command=(*BENTO_SERVE, "batchable:Predictor", *BENTO_ADDRESS),
    body=bodies.bentoml_rows,
    batches=True,
)
MLSERVER = Contestant(
    name="mlserver",
    title="MLServer (v2)",
    peer="mlserver",
    command=("mlserver", "start", "."),
    path="/v2/models/bench/infer",
    body=bodies.v2_columns,
)
KSERVE = Contestant(
    name="kserve",
    title="KServe Python server (v2)",
    peer="kserve",
    command=("python", "server.py"),
    path="/v2/models/bench/infer",
    body=bodies.v2_columns,
)
MLFLOW = Contestant(
    name="mlflow",
    title="`mlflow models serve`",
    peer="mlflow",
    command=(
        *("mlflow", "models", "serve", "--model-uri", "{saved}", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
    ),
    path="/invocations",
    body=bodies.dataframe_split,
)
CONTESTANTS = {
    item.name: item
    for item in (FLOOR, FASTAPI, FASTAPI_FEATURES, BENTOML, BENTOML_BATCHABLE, MLSERVER, KSERVE, MLFLOW)
}
SLIPWAY = "slipway"
EMPTY_BENTOML = ("bentoml", "serve", "empty:Empty", *BENTO_ADDRESS)


def titles() -> dict[str, str]:
    return {SLIPWAY: "**Slipway**, all features on"} | {
        name: item.title for name, item in CONTESTANTS.items()
    }
