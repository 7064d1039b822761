"""The bill of materials lists what is installed, whether or not the lock knows it."""

from __future__ import annotations

import json

import pytest

from deploy.image.contents import Contents
from deploy.image.sbom import STATUS, against_lock, components, cyclonedx, locked
from tests.architecture.source_tree import ROOT

SITE = "app/.venv/lib/python3.11/site-packages"
DPKG = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u13

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
LOCK = """\
msgspec==0.20.0 \\
    --hash=sha256:0
redis[hiredis]==8.1.0 \\
    --hash=sha256:0
pywin32==311 ; sys_platform == 'win32' \\
    --hash=sha256:0
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:0
"""


def image(**versions: str) -> Contents:
    texts = {
        f"{SITE}/{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        "License-Expression: BSD-3-Clause\n\nText"
        for name, version in versions.items()
    }
    return Contents({}, {**texts, STATUS: DPKG})


def test_every_distribution_and_every_installed_package_is_a_component() -> None:
    assert [component.purl for component in components(image(msgspec="0.20.0", Redis="8.1.0"))] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64",
        "pkg:pypi/msgspec@0.20.0",
        "pkg:pypi/redis@8.1.0",
    ]


def test_an_image_with_what_is_locked_is_in_order() -> None:
    assert against_lock(image(msgspec="0.20.0", redis="8.1.0"), LOCK) == []


def test_a_package_that_depends_on_the_patch_level_may_be_there() -> None:
    assert against_lock(image(msgspec="0.20.0", redis="8.1.0", async_timeout="5.0.1"), LOCK) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"msgspec": "0.20.0"}, "redis is missing instead of 8.1.0"),
        ({"msgspec": "0.19.0", "redis": "8.1.0"}, "msgspec 0.19.0 instead of 0.20.0"),
        ({"msgspec": "0.20.0", "redis": "8.1.0", "pip": "26.1"}, "pip 26.1 instead of none"),
    ],
)
def test_what_differs_from_the_lock_is_named(found: dict[str, str], said: str) -> None:
    assert against_lock(image(**found), LOCK) == [said]


def test_the_real_lock_is_read_whole() -> None:
    lock = (ROOT / "requirements" / "serving.txt").read_text()
    every = [line for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    elsewhere = [line for line in every if "win32" in line or "emscripten" in line or "pypy" in line]
    assert len(locked(lock, "3.11.0")) >= len(every) - len(elsewhere)


def test_the_same_image_has_the_same_document() -> None:
    first = cyclonedx(image(msgspec="0.20.0"), image="slipway", version="1", epoch=None)
    assert first == cyclonedx(image(msgspec="0.20.0"), image="slipway", version="1", epoch=None)
    assert "timestamp" not in json.loads(first)["metadata"]


def test_a_document_names_its_image_and_depends_on_every_component() -> None:
    document = json.loads(cyclonedx(image(msgspec="0.20.0"), image="slipway", version="1", epoch=0))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "slipway"
    assert document["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    references = [component["bom-ref"] for component in document["components"]]
    assert document["dependencies"][0]["dependsOn"] == references
