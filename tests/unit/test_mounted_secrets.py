"""Secrets as mounted files: what is in the file counts, an empty one means unset, and what is wrong is said by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from records.mounted_secrets import read_secret, with_mounted_secrets

SECRET = "redis://:hunter2@cache"


def mounted(folder: Path, content: str | bytes) -> Path:
    path = folder / "secret"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"  {SECRET}\r\n"])
def test_a_mounted_secret_is_its_one_line(tmp_path: Path, content: str) -> None:
    filled = with_mounted_secrets({"redis_url_file": str(mounted(tmp_path, content))}, ("redis_url",))
    assert filled["redis_url"] == SECRET


@pytest.mark.parametrize("content", ["", "\n", "   \n"])
def test_an_empty_file_means_unset(tmp_path: Path, content: str) -> None:
    filled = with_mounted_secrets({"redis_url_file": mounted(tmp_path, content)}, ("redis_url",))
    assert "redis_url" not in filled


def test_without_a_file_nothing_changes() -> None:
    values = {"redis_url": SECRET, "redis_url_file": None}
    assert with_mounted_secrets(values, ("redis_url", "database_url")) == values


def test_two_sources_of_one_secret_are_one_too_many(tmp_path: Path) -> None:
    values = {"redis_url": SECRET, "redis_url_file": mounted(tmp_path, "")}
    with pytest.raises(ValueError, match="REDIS_URL or REDIS_URL_FILE, not both") as refused:
        with_mounted_secrets(values, ("redis_url",))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("content", "meant"), [(SECRET, SECRET), ("", "data/online")])
def test_a_setting_that_is_only_a_default_is_overruled_by_a_file_that_holds_something(
    tmp_path: Path, content: str, meant: str
) -> None:
    values = {"features_url": "data/online", "features_url_file": mounted(tmp_path, content)}
    filled = with_mounted_secrets(values, ("features_url",), overruling=("features_url",))
    assert filled["features_url"] == meant


def test_a_file_that_is_not_there_is_refused_by_name_and_not_by_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^REDIS_URL_FILE cannot be read$"):
        with_mounted_secrets({"redis_url_file": tmp_path / "hunter2"}, ("redis_url",))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"one hunter2\ntwo\n"])
def test_what_is_no_single_line_of_text_is_refused_without_showing_it(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match="REDIS_URL_FILE") as refused:
        read_secret(mounted(tmp_path, content), setting="REDIS_URL_FILE")
    assert "hunter2" not in str(refused.value)
