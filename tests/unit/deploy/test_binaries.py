"""Programs that no Python package carries: the right version, checked, and a plain word where there is none."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from deploy.binaries import PROGRAMS, Program, ensure, from_release, main, unpack
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


def archive_of(folder: Path) -> Path:
    path = folder / "tool.tar.gz"
    with tarfile.open(path, mode="w:gz") as files:
        entry = tarfile.TarInfo("tool")
        entry.size = 2
        files.addfile(entry, io.BytesIO(b"ok"))
    return path


def released(archive: Path, digest: str) -> Program:
    here = {f"{system}_{machine}": digest for system in ("linux", "darwin") for machine in ("amd64", "arm64")}
    return Program(name="tool", version="1.0.0", release=archive.as_uri(), member="tool", sha256=here)


def test_a_release_is_taken_when_its_checksum_is_right(tmp_path: Path) -> None:
    archive = archive_of(tmp_path)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    from_release(released(archive, digest), tmp_path / "bin" / "tool")
    assert (tmp_path / "bin" / "tool").read_text() == "ok"


def test_a_release_that_is_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="is not the file that its checksum names"):
        from_release(released(archive_of(tmp_path), "0" * 64), tmp_path / "bin" / "tool")
    assert not (tmp_path / "bin").exists()
