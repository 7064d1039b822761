"""Where an image comes from, as a SLSA predicate: the commit, and for every model in it the run and the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from deploy.errors import PromotionImpossible

BUILD_TYPE = "https://slsa.dev/container-based-build/v0.1"
PREDICATE = "slsaprovenance1"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the image, as `python -m training lineage` writes it."""

    model: str
    version: str
    run: str
    servable: str
    commit: str
    data: str


class BuiltBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who built: the repository and commit, and the run of the workflow, or the machine, that did it."""

    repository: str
    commit: str
    builder: str


def read_origins(path: Path) -> list[Origin]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Origin])
    except (OSError, msgspec.DecodeError) as error:
        raise PromotionImpossible(f"{path} is no lineage of models: {error}") from error


def predicate(built: BuiltBy, origins: list[Origin]) -> dict[str, Any]:
    """SLSA provenance v1; the dependencies are what the image was made of."""
    source = {"uri": f"git+{built.repository}", "digest": {"gitCommit": built.commit}}
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"source": source},
            "internalParameters": {},
            "resolvedDependencies": [source, *(_dependency(origin) for origin in origins)],
        },
        "runDetails": {"builder": {"id": built.builder}},
    }


def _dependency(origin: Origin) -> dict[str, Any]:
    return {
        "name": f"{origin.model}={origin.version}",
        "uri": f"mlflow-run:{origin.run}",
        "digest": {"sha256": origin.servable.removeprefix("sha256:")},
        "annotations": {"gitCommit": origin.commit, "dataHash": origin.data},
    }
