"""What FEATURES_URL means: materialising writes to the place that serving reads from, so both read it the same way."""

from __future__ import annotations

from enum import StrEnum


class FeatureHome(StrEnum):
    """The kind of place where features of entities are kept."""

    FOLDER = "folder"
    SQL = "sql"
    REDIS = "redis"


SCHEMES = {
    **dict.fromkeys(("sqlite", "postgresql", "postgres"), FeatureHome.SQL),
    **dict.fromkeys(("redis", "rediss", "unix"), FeatureHome.REDIS),
}


def feature_home(url: str) -> FeatureHome:
    """A folder, unless there is a scheme. Raises ValueError for one that no adapter knows, without repeating the URL."""
    scheme, found, _ = url.partition(":")
    if not found:
        return FeatureHome.FOLDER
    home = SCHEMES.get(scheme.partition("+")[0])
    if home is None:
        raise ValueError("features are kept in a folder, or at a URL of SQLite, PostgreSQL or Redis")
    return home
