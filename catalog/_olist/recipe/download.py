"""The public data set behind the Olist models, in the layout of the raw files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from catalog._olist.recipe.raw import PLACES, RAW_FILES

DATA_SET = "olistbr/brazilian-ecommerce"
POINTS = "olist_geolocation_dataset.csv"
PREFIX = "geolocation_zip_code_prefix"


def download(fetch: Callable[[str], Path]) -> dict[str, bytes]:
    """Tables as published, but for places: a million points become the middle of each prefix."""
    folder = fetch(DATA_SET)
    files = {}
    for name in RAW_FILES:
        frame = _middles(folder / POINTS) if name == PLACES else _read(folder / name.removesuffix(".gz"))
        files[name] = gzip.compress(frame.to_csv(index=False).encode(), mtime=0)
    return files


def _read(path: Path) -> pd.DataFrame:
    # Some of the published tables begin with a byte order mark.
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _middles(path: Path) -> pd.DataFrame:
    points = _read(path)
    axes = ["geolocation_lat", "geolocation_lng"]
    points[axes] = points[axes].apply(pd.to_numeric, errors="coerce")
    by_prefix = points.groupby(PREFIX)
    names = by_prefix[["geolocation_city", "geolocation_state"]].first()
    return by_prefix[axes].median().join(names).reset_index()
