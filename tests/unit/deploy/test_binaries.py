"""Programs that no Python package carries: the right version, checked, and a plain word where there is none."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from deploy.binaries import PROGRAMS, ensure, main, unpack
from deploy.debian import debian_mirror
from deploy.errors import DeliveryError


@pytest.mark.parametrize(
    ("name", "answer", "right"),
    [
        ("kustomize", "v5.6.0", True),
        ("kustomize", "v5.7.1", False),
        ("kustomize", "(devel)", False),
        ("promtool", "promtool, version 2.42.0+ds (branch: debian/sid)", True),
        ("promtool", "promtool, version 3.1.0", True),
        ("promtool", "promtool, version 2.9.1", False),
    ],
)
def test_a_program_on_the_path_is_used_if_its_version_is_right(
    name: str, answer: str, *, right: bool
) -> None:
    assert PROGRAMS[name].accepts(answer) is right


def test_what_was_fetched_before_is_used_again(tmp_path: Path) -> None:
    (tmp_path / "kustomize").write_text("a program")
    assert ensure("kustomize", tmp_path) == tmp_path / "kustomize"


def test_every_release_is_known_by_its_checksum() -> None:
    sums = [value for program in PROGRAMS.values() for value in program.sha256.values()]
    assert all(len(value) == 64 and int(value, 16) for value in sums)


def test_a_program_comes_out_of_its_archive_ready_to_run(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as files:
        entry = tarfile.TarInfo("folder/tool")
        entry.size = len(b"#!/bin/sh\n")
        files.addfile(entry, io.BytesIO(b"#!/bin/sh\n"))
    unpack(archive.getvalue(), "folder/tool", tmp_path / "bin" / "tool")
    assert (tmp_path / "bin" / "tool").stat().st_mode & 0o111
    assert [path.name for path in (tmp_path / "bin").iterdir()] == ["tool"]


def test_an_unknown_program_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["helm"]) == 2
    assert "no program called helm; known: kustomize, promtool" in capsys.readouterr().err


def test_a_mirror_is_one_that_apt_is_set_up_to_use_or_its_absence_is_said() -> None:
    try:
        mirror = debian_mirror()
    except DeliveryError as error:
        mirror = str(error)
        assert "Debian" in mirror
    else:
        assert "://" in mirror
        assert "security" not in mirror
