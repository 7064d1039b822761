"""Addresses in the settings, checked without the libraries that will open them: importing those costs a worker dearly."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from auth.keys import holds_placeholder
from serving.settings import Environment, ModelSource, Settings

DATABASE = re.compile(r"(sqlite(\+pysqlite)?|postgres(ql)?(\+psycopg)?)://.*", re.DOTALL)
REDIS = re.compile(r"(redis|rediss|unix)://.+", re.DOTALL)
REGISTRY_SCHEMES = ("", "http", "https", "file", "sqlite", "postgresql", "mysql", "mssql", "databricks")
PORT = re.compile(r"[^:]+://(?:.*@)?+(?:\[[^\]]*\]|[^:/?,\[]*):(?P<port>[^/?,]*)", re.DOTALL)
PASSWORD = re.compile(r"[^:/]+://[^:@/]*:(?P<password>[^@]*)@", re.DOTALL)
INSIDE = (".svc", ".local", ".internal", ".localhost")


def refuse_wrong_addresses(settings: Settings) -> None:
    """Raises ValueError, naming the setting and never its value."""
    database, features = settings.database_url.get_secret_value(), settings.features_url.get_secret_value()
    redis = settings.redis_url.get_secret_value() if settings.redis_url is not None else ""
    if settings.slipway_env is not Environment.DEV and "database_url" not in settings.model_fields_set:
        raise ValueError("DATABASE_URL or DATABASE_URL_FILE is required outside dev")
    if not DATABASE.fullmatch(database):
        raise ValueError("DATABASE_URL is no URL of SQLite or PostgreSQL")
    if redis and not REDIS.fullmatch(redis):
        raise ValueError("REDIS_URL is no URL of Redis")
    for name, url in (("DATABASE_URL", database), ("REDIS_URL", redis), ("FEATURES_URL", features)):
        _refuse_bad_port(name, url)
        if settings.slipway_env is not Environment.DEV:
            _refuse_placeholder(name, url)
    if settings.model_source is not ModelSource.PATH:
        _check_registry(settings)


def _refuse_bad_port(name: str, url: str) -> None:
    found = PORT.match(url)
    if found is not None and not (found["port"].isdigit() and 0 < int(found["port"]) < 65536):
        raise ValueError(f"{name}: the port is no number from 1 to 65535")


def _refuse_placeholder(name: str, url: str) -> None:
    found = PASSWORD.match(url)
    if found is not None and holds_placeholder(found["password"]):
        raise ValueError(f"{name} holds a placeholder for a password")


def _check_registry(settings: Settings) -> None:
    try:
        address = urlsplit(settings.mlflow_tracking_uri)
        whole = bool(address.hostname) and address.port != 0
    except ValueError:
        raise ValueError("MLFLOW_TRACKING_URI is no address of an MLflow registry") from None
    scheme = address.scheme.partition("+")[0]
    if scheme not in REGISTRY_SCHEMES or (scheme in ("http", "https") and not whole):
        raise ValueError("MLFLOW_TRACKING_URI is no address of an MLflow registry")
    if scheme == "http" and settings.slipway_env is not Environment.DEV and not _is_inside(address):
        raise ValueError(
            "MLFLOW_TRACKING_URI: http is for a registry inside the cluster; elsewhere use https"
        )


def _is_inside(address: SplitResult) -> bool:
    """A name without a dot, one that only a cluster or a private network knows, or a private address."""
    host = address.hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(INSIDE)
