"""What the engine knows of one registered version, and what it takes to register one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The tags by which serving finds and checks a version; the agent reads the same names.
MODEL_TAG = "slipway.model"
DIGEST_TAG = "slipway.servable_digest"
APPROVED_TAG = "slipway.approved"
WITHDRAWN_TAG = "slipway.withdrawn"  # when, by whom and why; promotion refuses such a version
GIT_TAG = "slipway.git_sha"
DATA_TAG = "slipway.data_hash"
RAW_TAG = "slipway.raw_data"  # measured or synthetic: whether what the version learned from was made up
SIGNED_TAG = "slipway.signed"  # when, and by which key; the signature itself lies beside the servable
INPUTS_TAG = "slipway.inputs"  # data, knobs and code of the model: equal inputs, equal model
RETRAINING_TAG = "slipway.retraining"  # open, passed or failed: how far a retraining came with it

MEASURED, SYNTHETIC, UNKNOWN = "measured", "synthetic", "unknown"  # raw data

CANDIDATE, STAGING, PRODUCTION, CHALLENGER = "candidate", "staging", "production", "challenger"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Everything that the stages left behind for one version. `evidence` maps artifact folders to files."""

    model: str
    registry_name: str
    pipeline: Any
    example: Any
    answer: Any
    params: dict[str, Any]
    metrics: dict[str, float]
    tags: dict[str, str]
    servable: Path
    evidence: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version in the registry."""

    registry_name: str
    number: str
    run_id: str
    source: str
    tags: dict[str, str]
    aliases: tuple[str, ...]

    @property
    def approved(self) -> bool:
        return self.tags.get(APPROVED_TAG) == "true"

    @property
    def withdrawn(self) -> str | None:
        """When, by whom and why; None: it was not."""
        return self.tags.get(WITHDRAWN_TAG)

    @property
    def raw_data(self) -> str:
        """MEASURED or SYNTHETIC; UNKNOWN of a version that was registered without saying so."""
        return self.tags.get(RAW_TAG, UNKNOWN)

    @property
    def signed_by(self) -> str:
        """The fingerprint of the key, as the tag has it; empty where nobody signed. Whoever verifies looks at the signature."""
        return self.tags.get(SIGNED_TAG, "").rpartition(" ")[2]

    @property
    def digest(self) -> str | None:
        return self.tags.get(DIGEST_TAG)
