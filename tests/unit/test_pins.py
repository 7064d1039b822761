"""Pins: a version for each model, from one line or from a file that a pull request changes by one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.pins import parse_pins, read_pins, refuse_unpinned

FILE = """\
# what production serves
iris=3
basket = 12   # since the new gate
\t
"""


@pytest.mark.parametrize("text", ["iris=3,basket=12", " iris = 3 , basket=12,", FILE])
def test_pins_are_models_and_versions(text: str) -> None:
    assert parse_pins(text, setting="MODEL_VERSIONS") == {"iris": "3", "basket": "12"}


@pytest.mark.parametrize(
    "text", ["iris", "iris=", "=3", "iris=v3", "iris=3.1", "iris=-1", "iris=0", "iris=03", "iris=3 basket=4"]
)
def test_what_is_no_pin_is_refused_by_the_name_of_the_setting(text: str) -> None:
    with pytest.raises(ValueError, match="MODEL_VERSIONS: ") as refused:
        parse_pins(text, setting="MODEL_VERSIONS")
    assert str(refused.value).endswith("written as iris=3")


def test_a_model_that_is_pinned_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="names iris twice"):
        parse_pins("iris=3\niris=4", setting="MODEL_VERSIONS_FILE")


def test_pins_come_from_a_file_where_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "models.env"
    path.write_text(FILE)
    assert read_pins("", path) == {"iris": "3", "basket": "12"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "models.env"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="MODEL_VERSIONS_FILE cannot be read"):
        read_pins("", path)


def test_pins_of_models_that_are_not_served_here_are_no_trouble() -> None:
    refuse_unpinned({"iris": "3", "basket": "12"}, served=["iris"], known=["iris", "basket"])
