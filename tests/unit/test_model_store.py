"""The model store: no name leaves its folder, and a pointer is whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.model_store import ModelStore, Pointer

POINTER = Pointer(version="7", digest="sha256:ab", desired="8", reason="version 8 refused")
ESCAPES = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc",
    "a\x00b",
    ".hidden",
    "-rf",
    "a" * 101,
    "a b",
    "a\n",
    "ä",
    "~root",
]


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store", "production")


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_could_leave_the_folder_is_refused(store: ModelStore, name: str) -> None:
    for attempt in (
        lambda: store.version_folder(name, "1"),
        lambda: store.version_folder("iris", name),
        lambda: store.pointer_path(name),
        lambda: store.versions(name),
        lambda: ModelStore(store.root, name),
    ):
        with pytest.raises(ValueError):
            attempt()


def test_ordinary_names_stay_inside(store: ModelStore) -> None:
    folder = store.version_folder("food-delivery", "12")
    assert folder.resolve().is_relative_to(store.root.resolve())


def test_a_pointer_comes_back_as_it_was_written(store: ModelStore) -> None:
    store.write_pointer("iris", POINTER)
    assert store.read_pointer("iris") == POINTER
    assert [path.name for path in (store.root / "iris").iterdir()] == ["production.json"]


def test_every_replacement_changes_the_mark_even_when_the_content_is_the_same(store: ModelStore) -> None:
    assert store.pointer_mark("iris") is None
    store.write_pointer("iris", POINTER)
    first = store.pointer_mark("iris")
    store.write_pointer("iris", POINTER)
    assert store.pointer_mark("iris") != first


def test_a_writer_killed_before_the_replacement_leaves_the_old_pointer(store: ModelStore) -> None:
    store.write_pointer("iris", POINTER)
    store.pointer_path("iris").with_suffix(".json.new").write_bytes(b'{"version": "8", "dig')
    assert store.read_pointer("iris") == POINTER


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": 7}',
        b'{"version": "7"}',
        b'{"version": "\xff", "digest": "d", "desired": "7"}',
        b"\x80\x04",
        b"[" * 100_000,
    ],
)
def test_an_unreadable_pointer_is_none(store: ModelStore, content: bytes) -> None:
    store.write_pointer("iris", POINTER)
    store.pointer_path("iris").write_bytes(content)
    assert store.read_pointer("iris") is None


def test_a_folder_in_the_pointers_place_is_none(store: ModelStore) -> None:
    store.pointer_path("iris").mkdir(parents=True)
    assert store.read_pointer("iris") is None


def test_aliases_have_pointers_of_their_own(store: ModelStore) -> None:
    store.write_pointer("iris", POINTER)
    assert ModelStore(store.root, "staging").read_pointer("iris") is None


def test_versions_are_the_folders_that_are_there(store: ModelStore) -> None:
    assert store.versions("iris") == []
    for version in ("2", "10"):
        store.version_folder("iris", version).mkdir(parents=True)
    store.write_pointer("iris", POINTER)
    assert store.versions("iris") == ["10", "2"]


def test_a_forgotten_pointer_is_gone_and_may_be_forgotten_twice(store: ModelStore) -> None:
    store.write_pointer("iris", POINTER)
    store.forget_pointer("iris")
    store.forget_pointer("iris")
    assert store.read_pointer("iris") is None
