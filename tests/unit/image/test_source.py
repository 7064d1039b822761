"""An image is named after its commit, and its labels tell nobody's password."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from deploy.errors import ImageFailed
from deploy.image.source import Source, public_url, source_of, tracked_files

SOURCE = Source(
    version="1.2.0", revision="0123456789abcdef" * 2, dirty=False, url="https://forge.example/a/b"
)


def test_the_same_commit_has_the_same_tag() -> None:
    assert SOURCE.tag == "1.2.0-0123456789ab"


def test_what_was_never_committed_says_so() -> None:
    dirty = dataclasses.replace(SOURCE, dirty=True)
    assert dirty.tag.endswith("-dirty")
    assert dirty.labels()["org.opencontainers.image.revision"].endswith("-dirty")


def test_labels_name_no_time_and_no_remote_that_is_a_path() -> None:
    labels = dataclasses.replace(SOURCE, url=None).labels()
    assert {name.rpartition(".")[2] for name in labels} == {"version", "revision"}


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://ada:token@forge.example/team/slipway.git", "https://forge.example/team/slipway"),
        ("https://forge.example:8443/team/slipway", "https://forge.example:8443/team/slipway"),
        ("git@forge.example:team/slipway.git", "https://forge.example/team/slipway"),
        ("ssh://git@forge.example/team/slipway.git", "https://forge.example/team/slipway"),
        ("/srv/git/slipway.git", None),
        ("", None),
    ],
)
def test_a_remote_becomes_a_page_without_credentials(remote: str, page: str | None) -> None:
    assert public_url(remote) == page


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "3.0.0"\n')
    (tmp_path / ".gitignore").write_text("secret.env\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "-m", "x")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def test_a_clean_tree_is_named_by_version_and_commit(repository: Path) -> None:
    source = source_of(repository)
    assert source.tag == f"3.0.0-{source.revision[:12]}"


def test_a_new_file_makes_a_tree_dirty(repository: Path) -> None:
    (repository / "new.py").touch()
    assert source_of(repository).dirty


def test_what_git_ignores_is_never_built(repository: Path) -> None:
    (repository / "secret.env").touch()
    (repository / "new.py").touch()
    assert tracked_files(repository) == [Path(".gitignore"), Path("new.py"), Path("pyproject.toml")]


def test_a_file_that_was_deleted_and_not_committed_is_not_missed(repository: Path) -> None:
    (repository / "pyproject.toml").unlink()
    assert tracked_files(repository) == [Path(".gitignore")]


def test_without_a_commit_there_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "3.0.0"\n')
    git(tmp_path, "init", "--quiet")
    with pytest.raises(ImageFailed):
        source_of(tmp_path)
