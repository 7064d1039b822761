"""The Dockerfiles: what every builder understands, what a hardened pod needs, and nothing of whoever builds."""

from __future__ import annotations

import re

import jinja2
import pytest
import yaml

from deploy.image.base import default_base
from deploy.image.container import RUN_FOLDER, TEMPORARY
from serving.settings import Settings
from tests.architecture.source_tree import ROOT

FOLDER = ROOT / "deploy" / "image"
BASE = "python:3.11-slim"
# Set for libraries and the process, not read by our settings.
FOREIGN = {
    *("PATH", "HOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "BENTOML_HOME", "BENTOML_DO_NOT_TRACK"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MLFLOW_DISABLE_TELEMETRY"),
}


def rendered() -> str:
    template = (FOLDER / "Dockerfile.j2").read_text()
    return jinja2.Template(template, trim_blocks=True, lstrip_blocks=True, autoescape=True).render(
        __base_image__=BASE
    )


SERVING, TRAINING = rendered(), (FOLDER / "training.Dockerfile").read_text()


def final_stage(dockerfile: str) -> str:
    return dockerfile.rpartition("\nFROM ")[2]


def instructions(dockerfile: str, name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", dockerfile)
    return [line.removeprefix(f"{name} ") for line in joined.splitlines() if line.startswith(f"{name} ")]


def environment(dockerfile: str) -> dict[str, str]:
    lines = instructions(final_stage(dockerfile), "ENV")
    return dict(part.split("=", 1) for line in lines for part in line.split())


@pytest.mark.parametrize("dockerfile", [SERVING, TRAINING], ids=["serving", "training"])
class TestBoth:
    def test_it_asks_no_builder_for_more_than_the_oldest_can(self, dockerfile: str) -> None:
        assert not re.search(r"^# syntax|--mount|<<|--link", dockerfile, flags=re.MULTILINE)

    def test_it_has_a_stage_to_build_in_and_one_to_keep(self, dockerfile: str) -> None:
        assert [line.split()[0] for line in instructions(dockerfile, "FROM")] == [
            "${BUILD_IMAGE}",
            "${BASE_IMAGE}",
        ]

    def test_nothing_of_the_builder_reaches_the_final_stage(self, dockerfile: str) -> None:
        assert not re.search(r"PIP_|ca\.crt|^ARG|^RUN", final_stage(dockerfile), flags=re.MULTILINE)

    def test_every_package_is_checked_against_its_hash(self, dockerfile: str) -> None:
        assert "--require-hashes --only-binary :all:" in re.sub(r"\\\n\s*", "", dockerfile)

    def test_its_user_is_a_number_that_is_not_roots(self, dockerfile: str) -> None:
        assert instructions(final_stage(dockerfile), "USER") == ["10034:10034"]

    def test_arguments_are_modules_to_run(self, dockerfile: str) -> None:
        assert instructions(final_stage(dockerfile), "ENTRYPOINT") == ['["/app/.venv/bin/python", "-m"]']

    def test_its_home_is_a_folder_that_every_pod_mounts(self, dockerfile: str) -> None:
        assert environment(dockerfile)["HOME"] in TEMPORARY


def test_both_images_have_one_base_and_it_is_named_by_digest() -> None:
    assert re.search(r"^python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}$", default_base(ROOT))
    assert f"ARG BASE_IMAGE={default_base(ROOT)}\n" in TRAINING


def test_every_variable_of_the_image_is_a_setting() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    assert set(environment(SERVING)) - FOREIGN <= settings


def test_the_environment_is_left_to_the_deployment() -> None:
    assert "SLIPWAY_ENV" not in environment(SERVING)


def test_what_is_written_at_run_time_lies_in_declared_mounts() -> None:
    written = {"BENTOML_HOME", "METRICS_DIR", "DRAIN_FILE", "SPOOL_DIR", "MODEL_STORE_DIR", "HOME"}
    found = {name: value for name, value in environment(SERVING).items() if name in written}
    assert set(found) == written
    assert all(value.startswith((RUN_FOLDER, *TEMPORARY)) for value in found.values())


def test_the_health_check_needs_no_shell() -> None:
    health = instructions(final_stage(SERVING), "HEALTHCHECK")[0]
    assert re.search(r'CMD \["/app/.venv/bin/python", .*/livez', health)


def test_a_bento_is_a_list_of_what_goes_in() -> None:
    bentofile = yaml.safe_load((ROOT / "bentofile.yaml").read_text())
    assert bentofile["service"] == "service:Slipway"
    assert bentofile["docker"]["dockerfile_template"] == "deploy/image/Dockerfile.j2"
    assert "system_packages" not in bentofile["docker"]
    assert all(pattern.startswith("/") for pattern in bentofile["include"] + bentofile["exclude"])


def test_no_field_of_the_build_file_is_substituted_by_a_shell() -> None:
    assert not re.search(r"\$\(|`|\$\{", re.sub(r"#.*", "", (ROOT / "bentofile.yaml").read_text()))
