"""Reading `params.yaml`: the experiment knobs of one model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from training.errors import ParamsInvalid, UnknownModel

PARAMS = Path("params.yaml")


@dataclass(frozen=True, kw_only=True)
class ModelParams:
    """One block of `models`; each stage reads its own part, so that DVC reruns no more than it must.

    `smoke` overrides `train` where a run only has to prove that everything fits together.
    """

    prepare: dict[str, Any]
    train: dict[str, Any]
    evaluate: dict[str, Any]
    smoke: dict[str, Any]


def read_params(model: str, path: Path = PARAMS) -> ModelParams:
    """The knobs of one model. Raises UnknownModel where the file has no block for it."""
    try:
        blocks = yaml.safe_load(path.read_text())["models"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ParamsInvalid(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if model not in blocks:
        raise UnknownModel(f"{path} has no block for {model}")
    block = blocks[model]
    return ModelParams(
        prepare=block["prepare"],
        train=block["train"],
        evaluate=block["evaluate"],
        smoke=block.get("smoke", {}),
    )


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`."""
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            leaves |= flat(value, f"{prefix}{name}.")
        else:
            leaves[f"{prefix}{name}"] = value
    return leaves
