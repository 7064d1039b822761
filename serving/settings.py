"""The one place where the service and its agent read their environment."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from modelkit.feature_url import FeatureHome, feature_home
from records.mounted_secrets import with_mounted_secrets
from serving.comparison_settings import ComparisonSettings
from serving.connection_settings import ConnectionSettings
from serving.explain.settings import ExplanationSettings
from serving.grpc_settings import GrpcSettings
from serving.handoff_settings import HandoffSettings
from serving.identity_settings import IdentitySettings
from serving.lifecycle.settings import LifecycleSettings
from serving.logging_settings import LoggingSettings
from serving.overload_settings import OverloadSettings
from serving.records_settings import RecordsSettings
from serving.signing_settings import SigningSettings

DEV_RUN_FOLDER = Path("var")
MOUNTED_SECRETS = ("database_url", "redis_url", "features_url")  # auth reads the signing key, again and again


class Environment(StrEnum):
    DEV = "dev"
    STAGING = "staging"
    PRODUCTION = "production"


class ModelSource(StrEnum):
    FOLLOW = "follow"
    PINNED = "pinned"
    PATH = "path"


class FullLogPolicy(StrEnum):
    AVAILABLE = "available"
    STRICT = "strict"


class Durability(StrEnum):
    PROCESS = "process"
    DISK = "disk"


class Settings(
    ComparisonSettings,
    RecordsSettings,
    ExplanationSettings,
    IdentitySettings,
    LoggingSettings,
    GrpcSettings,
    OverloadSettings,
    HandoffSettings,
    ConnectionSettings,
    SigningSettings,
    LifecycleSettings,
    BaseSettings,
):
    """Every setting, its default and its meaning; `python -m serving settings` prints them as the README's table."""

    model_config = SettingsConfigDict(
        env_file=None, extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    slipway_env: Environment = Field(
        Environment.PRODUCTION,
        description="`dev`, `staging` or `production`; development defaults work only in `dev`",
    )
    api_host: str = Field("127.0.0.1", description="address to listen on; containers set `0.0.0.0`")
    api_port: int = Field(8000, ge=1, le=65535, description="port of the API")
    metrics_port: int = Field(
        9100, ge=0, le=65535, description="port of `/metrics` for Prometheus; 0 turns it off"
    )
    agent_metrics_port: int = Field(
        9101, ge=0, le=65535, description="the agent's own metrics port; 0 turns it off"
    )
    metrics_on_api_port: bool | None = Field(
        None, description="serve `/metrics` on the API port too; unset: everywhere but in production"
    )
    workers: int = Field(1, ge=1, le=64, description="worker processes of one pod")
    docs_enabled: bool = Field(True, description="serve `/docs` and `/openapi.json`")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///var/slipway.db"),
        description="SQLAlchemy URL of users, prediction log and ledger",
    )
    database_url_file: Path | None = Field(
        None,
        description="the same from a mounted file; empty: unset. New connections use a password that has changed",
    )
    redis_url: SecretStr | None = Field(None, description="shared cache tier; unset: in-process cache only")
    redis_url_file: Path | None = Field(
        None,
        description="the same from a mounted file; empty: unset. New connections use a password that has changed",
    )
    redis_timeout_seconds: float = Field(
        0.05, gt=0, le=5, description="budget of one call to Redis; there is no retry"
    )
    cache_enabled: bool = Field(True, description="answer repeated rows from the cache")
    cache_entries: int = Field(50_000, ge=0, description="entries of the in-process cache, per worker")

    catalog: str = Field("catalog", description="Python package that holds one folder per model")
    models: str = Field("", description="comma-separated models to serve; empty: all of the catalog")
    default_model: str = Field(
        "", description="model behind `POST /predict`; empty: the only one that accepts the body"
    )
    model_source: ModelSource = Field(
        ModelSource.FOLLOW,
        description="`follow` the registry's alias, serve the versions of `MODEL_VERSIONS` (`pinned`), or serve from "
        "`MODEL_PATH` (`path`)",
    )
    model_alias: str = Field("production", description="alias to follow")
    model_versions: str = Field(
        "", description="the registry's versions to serve in `pinned` mode, such as `iris=3,basket=12`"
    )
    model_versions_file: Path | None = Field(
        None, description="the same from a file with a line `iris=3` for each model, and `#` before comments"
    )
    model_path: Path | None = Field(
        None,
        description="folder with one servable per model, or one servable: the source in `path` mode, otherwise "
        "the fallback",
    )
    model_poll_seconds: float = Field(
        5.0, gt=0, le=3600, description="how often the agent asks the registry (jittered)"
    )
    model_store_dir: Path = Field(
        DEV_RUN_FOLDER / "store", description="where the agent keeps downloaded versions"
    )
    mlflow_tracking_uri: str = Field(
        "sqlite:///mlflow.db", description="MLflow registry that the agent follows"
    )

    features_url: SecretStr = Field(
        SecretStr("data/online"),
        description="features of entities: a folder of Parquet files, `sqlite:`, `postgresql:` or `redis:`",
    )
    features_url_file: Path | None = Field(
        None,
        description="the same from a mounted file, which goes first unless it is empty; changed passwords as above",
    )
    features_max_age_seconds: float = Field(
        0.0, ge=0, description="older features are counted as stale and reported; 0: never"
    )

    spool_dir: Path = Field(DEV_RUN_FOLDER / "spool", description="folder of the local prediction log")
    metrics_dir: Path = Field(
        DEV_RUN_FOLDER / "metrics",
        description="folder in which workers share their metrics; emptied at start",
    )
    spool_durability: Durability = Field(
        Durability.PROCESS,
        description="`process` survives any kill; `disk` also power loss (an fdatasync per turn)",
    )
    spool_limit_bytes: int = Field(
        512 * 1024 * 1024, ge=1024 * 1024, description="cap of the local prediction log"
    )
    spool_full_policy: FullLogPolicy = Field(
        FullLogPolicy.AVAILABLE,
        description="log full or failing: answer and count (`available`) or 503 (`strict`)",
    )
    agent_enabled: bool = Field(
        True, description="start the agent as a child; off where it runs as a sidecar"
    )

    max_body_bytes: int = Field(1_048_576, ge=1024, description="largest request body")
    max_json_depth: int = Field(32, ge=4, le=200, description="deepest nesting of a request body")
    max_instances: int = Field(1000, ge=1, le=100_000, description="most rows in one request")
    request_timeout_seconds: float = Field(
        5.0, gt=0, le=300, description="deadline of a request, body included"
    )
    drain_file: Path = Field(
        DEV_RUN_FOLDER / "drain", description="while this file exists the replica drains"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        """An image may set FEATURES_URL to the features that it carries; a deployment's file goes before it."""
        return with_mounted_secrets(values, MOUNTED_SECRETS, overruling=("features_url",))

    @model_validator(mode="after")
    def _at_most_one_signing_key(self) -> Self:
        if self.jwt_secret_key and self.jwt_secret_key_file:
            raise ValueError("set JWT_SECRET_KEY or JWT_SECRET_KEY_FILE, not both")
        return self

    @model_validator(mode="after")
    def _the_source_of_models_is_named(self) -> Self:
        pins = bool(self.model_versions) + (self.model_versions_file is not None)
        if pins > 1:
            raise ValueError("set MODEL_VERSIONS or MODEL_VERSIONS_FILE, not both")
        if pins and self.model_source is not ModelSource.PINNED:
            raise ValueError("MODEL_VERSIONS and MODEL_VERSIONS_FILE need MODEL_SOURCE=pinned")
        if self.model_source is ModelSource.PINNED and not pins:
            raise ValueError("MODEL_SOURCE=pinned needs MODEL_VERSIONS or MODEL_VERSIONS_FILE")
        if self.model_source is ModelSource.PATH and self.model_path is None:
            raise ValueError("MODEL_SOURCE=path needs MODEL_PATH")
        return self

    @model_validator(mode="after")
    def _the_source_of_challengers_is_named(self) -> Self:
        if self.challenger_alias == self.model_alias:
            raise ValueError("CHALLENGER_ALIAS and MODEL_ALIAS must differ")
        if self.challenger_versions and self.model_source is not ModelSource.PINNED:
            raise ValueError("CHALLENGER_VERSIONS needs MODEL_SOURCE=pinned")
        if self.challenged and self.model_source is ModelSource.PATH and self.challenger_path is None:
            raise ValueError("AB_WEIGHTS and SHADOW_SAMPLES need CHALLENGER_PATH where MODEL_SOURCE=path")
        return self

    @model_validator(mode="after")
    def _features_come_from_somewhere(self) -> Self:
        try:
            feature_home(self.features_url.get_secret_value())
        except ValueError as error:
            raise ValueError(f"FEATURES_URL: {error}") from None
        return self

    @property
    def feature_home(self) -> FeatureHome:
        return feature_home(self.features_url.get_secret_value())

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models asked for; empty means all."""
        return tuple(name.strip() for name in self.models.split(",") if name.strip())

    @property
    def only_signed_models(self) -> bool:
        if self.require_signed_models is None:
            return self.slipway_env is Environment.PRODUCTION
        return self.require_signed_models

    @property
    def model_keys(self) -> Path | None:
        """None where no key is set; an empty file means unset, as for other mounted values."""
        path = self.model_verify_keys_file
        return None if path is None or (path.is_file() and not path.stat().st_size) else path

    @property
    def metrics_are_public(self) -> bool:
        if self.metrics_on_api_port is None:
            return self.slipway_env is not Environment.PRODUCTION
        return self.metrics_on_api_port


MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def multiprocess_folder() -> Path | None:
    """The folder in which BentoML has the workers share their metrics; None outside its workers."""
    folder = os.environ.get(MULTIPROCESS_VARIABLE)
    return Path(folder) if folder else None


def believe_only_our_proxies() -> None:
    """uvicorn, which BentoML starts after us, would put what programs on this machine say in place of their address, or
    whatever FORWARDED_ALLOW_IPS names. Whose word counts, TRUSTED_PROXIES says, and `auth.client_address` reads it once.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def agent_environment() -> dict[str, str]:
    """What the agent inherits: everything but the workers' metrics folder, for its metrics are its own."""
    return {name: value for name, value in os.environ.items() if name != MULTIPROCESS_VARIABLE}
