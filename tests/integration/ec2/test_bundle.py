"""What CodeDeploy is given: the same bytes for the same release, and only what was released."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

from deploy.commands.ec2_bundle import NotReleased
from tests.integration.ec2.conftest import GOOD
from tests.integration.ec2.instance import Instance


def test_a_bundle_is_the_same_bytes_twice(instance: Instance) -> None:
    assert instance.bundle(GOOD).read_bytes() == instance.bundle(GOOD).read_bytes()


def test_a_bundle_has_every_file_that_it_names(instance: Instance, tmp_path: Path) -> None:
    with zipfile.ZipFile(instance.bundle(GOOD)) as bundle:
        names = set(bundle.namelist())
        hooks = yaml.safe_load(bundle.read("appspec.yml"))["hooks"]
        called = {entry["location"] for entries in hooks.values() for entry in entries}
    assert called <= names
    assert {"release.env", "settings.env", "units/slipway.service", "hooks/container.sh"} <= names


@pytest.mark.parametrize(
    "image", ["slipway:latest", "slipway", f"slipway@sha256:{'0' * 64}"], ids=["tag", "name", "zeros"]
)
def test_what_is_not_a_released_digest_is_not_packed(instance: Instance, image: str) -> None:
    with pytest.raises(NotReleased):
        instance.bundle(image)
