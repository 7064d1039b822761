"""Finding an engine and a base, with a program that records how it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.errors import ImageFailed
from deploy.image.base import SERVING_PACKAGES, find_base
from deploy.image.building import carried_versions
from deploy.image.container import Cell
from deploy.image.contents import contents_of
from deploy.image.engine import Engine
from deploy.image.pushing import push
from deploy.image.running import command_to_serve
from deploy.image.settings import ImageSettings

DEFAULT = "python:3.11"


class Program:
    """A container engine's client that fails where the first words of its arguments are among `refused`."""

    def __init__(self, folder: Path, *refused: str, says: str = "") -> None:
        self._log = folder / "calls"
        cases = "".join(f'"{words}"*) exit 1;;' for words in refused)
        script = folder / "engine"
        script.write_text(f'#!/bin/sh\necho "$*" >> {self._log}\ncase "$*" in {cases} esac\necho "{says}"\n')
        script.chmod(0o755)
        self.engine = Engine(program=str(script))

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines()


def settings(folder: Path, **changes: object) -> ImageSettings:
    return ImageSettings.model_construct(image_cache=folder, **changes)  # type: ignore[arg-type]


def test_a_program_that_is_missing_is_no_engine() -> None:
    assert not Engine(program="/nowhere/docker").succeeds("info")


def test_a_server_that_does_not_answer_is_no_engine(tmp_path: Path) -> None:
    assert not Program(tmp_path, "info").engine.succeeds("info")


def test_a_failure_is_said_in_the_programs_words(tmp_path: Path) -> None:
    with pytest.raises(ImageFailed, match="ended with 1"):
        Program(tmp_path, "create").engine.run("create", "slipway:1")


def test_the_base_that_was_asked_for_is_taken_at_its_word(tmp_path: Path) -> None:
    program = Program(tmp_path)
    found = find_base(settings(tmp_path, base_image="mine:1"), program.engine, DEFAULT, SERVING_PACKAGES)
    assert found == "mine:1"


def test_the_default_is_pulled_where_the_engine_has_none(tmp_path: Path) -> None:
    program = Program(tmp_path, "image inspect")
    assert find_base(settings(tmp_path), program.engine, DEFAULT, SERVING_PACKAGES) == DEFAULT
    assert program.calls == [f"image inspect {DEFAULT}", f"pull --quiet {DEFAULT}"]


def test_where_nothing_can_be_pulled_a_base_from_packages_is_imported(tmp_path: Path) -> None:
    (tmp_path / "base-serving-bookworm.tar").touch()
    program = Program(tmp_path, "image inspect", "pull")
    found = find_base(settings(tmp_path), program.engine, DEFAULT, SERVING_PACKAGES)
    assert found == "slipway-base-serving:bookworm"
    assert program.calls[-1].startswith("import --change ENV PATH=")


def test_an_export_that_is_no_archive_is_an_error_and_leaves_no_container(tmp_path: Path) -> None:
    program = Program(tmp_path, says="container-1")
    with pytest.raises(ImageFailed):
        contents_of("slipway:1", engine=program.engine.program, variables={})
    assert program.calls[-1] == "rm --force container-1"


def test_a_trial_may_write_to_declared_folders_only() -> None:
    options = " ".join(Cell(image="slipway:1", user=20_001).options())
    for held in ("--read-only", "--cap-drop ALL", "no-new-privileges", "--user 20001:20001", "--pids-limit"):
        assert held in options
    assert "--privileged" not in options


def test_serving_from_the_image_is_held_as_tightly_and_published_on_loopback() -> None:
    command = " ".join(command_to_serve("slipway:1", Engine(program="docker")))
    assert "--read-only --cap-drop ALL" in command
    assert "--publish 127.0.0.1:8090:8000" in command


@pytest.mark.parametrize(
    ("labels", "versions"),
    [({"slipway.models": "iris=3,basket=1"}, "iris=3,basket=1"), ({"other": "x"}, ""), (None, "")],
)
def test_an_image_says_which_versions_it_carries(
    tmp_path: Path, labels: dict[str, str] | None, versions: str
) -> None:
    said = json.dumps([{"Config": {"Labels": labels}}]).replace('"', '\\"')
    assert carried_versions("slipway:1", Program(tmp_path, says=said).engine) == versions


@pytest.mark.parametrize("registry", ["ghcr.io/you", "localhost:5000", "ghcr.io/you/"])
def test_an_image_whose_name_has_no_registry_is_pushed_under_the_one_that_is_set(
    tmp_path: Path, registry: str
) -> None:
    name = f"{registry.rstrip('/')}/slipway"
    said = json.dumps([{"RepoDigests": ["other/slipway@sha256:0", f"{name}@sha256:1"]}]).replace('"', '\\"')
    program = Program(tmp_path, says=said)
    assert push("slipway:1", program.engine, registry=registry) == f"{name}@sha256:1"
    assert program.calls == [f"tag slipway:1 {name}:1", f"push {name}:1", f"image inspect {name}:1"]


def test_a_name_with_a_registry_is_pushed_as_it_is(tmp_path: Path) -> None:
    program = Program(tmp_path, says=json.dumps([{"RepoDigests": ["a.b/c@sha256:1"]}]).replace('"', '\\"'))
    assert push("a.b/c:1", program.engine, registry="ghcr.io") == "a.b/c@sha256:1"
    assert program.calls[0] == "push a.b/c:1"
