"""The settings of comparing versions: who the challenger is, whom it answers, and which rows it is tried on in the shadow."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from modelkit.shares import parse_shares
from serving.pins import parse_pins
from serving.splitting import SplitBy


class ComparisonSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    challenger_alias: str = Field(
        "challenger", min_length=1, description="alias of the version that production is compared with"
    )
    challenger_versions: str = Field(
        "", description="the registry's challengers in `pinned` mode, such as `iris=4`"
    )
    challenger_path: Path | None = Field(
        None, description="folder with the challengers' servables in `path` mode, laid out as `MODEL_PATH`"
    )
    ab_weights: str = Field(
        "", description="per cent of callers whom a model's challenger answers, such as `iris=10,basket=2.5`"
    )
    ab_split_by: SplitBy = Field(
        SplitBy.SUBJECT,
        description="callers are split by `subject`, or by `key`: the header `X-Split-Key`, without one the subject",
    )
    ab_salt: str = Field(
        "", max_length=100, description="another one draws other callers: change it between two experiments"
    )
    shadow_samples: str = Field(
        "",
        description="per cent of answered rows that the challenger is tried on afterwards, such as `iris=100`",
    )
    shadow_cpu_share: float = Field(
        0.1, gt=0, le=4, description="how much of a core the agent may use for that"
    )

    @field_validator("ab_weights", "shadow_samples")
    @classmethod
    def _shares(cls, text: str) -> str:
        parse_shares(text)
        return text

    @field_validator("challenger_versions")
    @classmethod
    def _pins(cls, text: str) -> str:
        parse_pins(text, setting="CHALLENGER_VERSIONS")
        return text

    @property
    def weights(self) -> dict[str, float]:
        """Shares of callers by model, where there is one."""
        return {model: share for model, share in parse_shares(self.ab_weights).items() if share}

    @property
    def shadows(self) -> dict[str, float]:
        """Shares of rows by model, where there is one."""
        return {model: share for model, share in parse_shares(self.shadow_samples).items() if share}

    @property
    def challenged(self) -> frozenset[str]:
        """The models that have a challenger at all."""
        return frozenset(self.weights) | frozenset(self.shadows)
