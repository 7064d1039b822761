"""The Bento: what is inside, what is not, and that two builds of one tree are the same."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.image.bento import Workshop, build_bento, copy_sources
from modelkit.definition import load_catalog
from tests.architecture.source_tree import ROOT
from tests.tiny_servables import write_tiny

VERSION = "test"
IRIS = load_catalog()["iris"]
RECIPES = [f"catalog.{path.parent.name}.recipe" for path in (ROOT / "catalog").glob("*/definition.py")]
PROBE = """
import importlib.util, sys
def there(name):
    try: return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError: return False
print(" ".join(name for name in sys.argv[1:] if there(name)))
"""


def build(folder: Path, certificates: Path | None = None) -> Workshop:
    workshop = Workshop(root=folder)
    copy_sources(ROOT, workshop)
    write_tiny(IRIS, workshop.baked / "models" / "iris")
    build_bento(workshop, VERSION, certificates)
    return workshop


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bento")
    certificates = folder / "ca.pem"
    certificates.write_text("of whoever builds")
    return build(folder / "work", certificates).bento(VERSION)


def inside(bento: Path, *command: str) -> str:
    """Output of this Python in the Bento's sources, isolated from the working tree."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=bento / "src",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_nothing_that_trains_can_be_imported(bento: Path) -> None:
    assert inside(bento, "-c", PROBE, "training", "tests", "bench", "deploy", "clients", *RECIPES) == ""


def test_what_serves_can(bento: Path) -> None:
    wanted = [
        "service",
        "serving.agent",
        "auth",
        "records.migrate",
        "modelkit.servable",
        "k8s.smoke",
        "k8s.dev_secret",
    ]
    wanted += [recipe.replace("recipe", "definition") for recipe in RECIPES]
    assert inside(bento, "-c", PROBE, *wanted).split() == wanted


@pytest.mark.parametrize(
    "command",
    [["k8s", "smoke"], ["k8s", "dev-secret"], ["serving"], ["serving.agent"], ["records"], ["auth"]],
    ids=" ".join,
)
def test_every_command_of_the_image_starts(bento: Path, command: list[str]) -> None:
    assert "usage:" in inside(bento, "-m", *command, "--help")


def test_there_is_no_other_question_to_the_cluster(bento: Path) -> None:
    assert {path.stem for path in (bento / "src" / "k8s" / "commands").glob("*.py")} == {
        "__init__",
        "smoke",
        "dev_secret",
    }


def test_it_carries_the_migrations_and_the_lock(bento: Path) -> None:
    source = bento / "src"
    assert {path.name for path in (source / "records" / "migrations" / "versions").iterdir()} == {
        path.name for path in (ROOT / "records" / "migrations" / "versions").glob("*.py")
    }
    assert (source / "requirements" / "serving.txt").read_bytes() == (
        ROOT / "requirements" / "serving.txt"
    ).read_bytes()


def test_baked_models_are_where_the_image_looks(bento: Path) -> None:
    assert (bento / "src" / "baked" / "models" / "iris" / "model.onnx").is_file()


def test_certificates_lie_beside_the_sources(bento: Path) -> None:
    assert (bento / "env" / "python" / "ca.crt").is_file()
    assert not list((bento / "src").rglob("*.crt"))


def test_two_builds_of_one_tree_have_the_same_sources_and_dockerfile(bento: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "work").bento(VERSION)
    assert digests(again / "src") == digests(bento / "src")
    # bento.yaml has the time of the build in it and stays outside the image.
    assert digests(again / "env" / "docker") == digests(bento / "env" / "docker")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
