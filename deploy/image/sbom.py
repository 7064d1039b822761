"""The bill of materials of an image, as CycloneDX 1.6: every installed distribution, every Debian package, the base.

Read from what is in the image, not from the lock, so that it cannot leave out what the lock does not know.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from typing import Any
from urllib.parse import quote

from deploy.image.contents import Contents

METADATA = re.compile(r"/site-packages/[^/]+\.dist-info/METADATA$")
STATUS = "var/lib/dpkg/status"
NAMESPACE = uuid.UUID("6f1b1c1a-8d0c-5f53-9d3a-2f5a1c8d9a10")
LICENSE = re.compile(r"^[A-Za-z0-9.+() -]+$")


@dataclass(frozen=True, kw_only=True, order=True)
class Component:
    """`license` is what the package says of itself; None where it says nothing that fits a line."""

    purl: str
    name: str
    version: str
    license: str | None = None


def components(contents: Contents) -> list[Component]:
    return sorted([*distributions(contents), *debian_packages(contents)])


def distributions(contents: Contents) -> Iterable[Component]:
    for path, text in contents.texts.items():
        if METADATA.search(path):
            said = HeaderParser().parsestr(text)
            name, version = str(said["Name"]), str(said["Version"])
            yield Component(
                purl=f"pkg:pypi/{normalized(name)}@{quote(version)}",
                name=normalized(name),
                version=version,
                license=_license(said["License-Expression"] or said["License"]),
            )


def debian_packages(contents: Contents) -> Iterable[Component]:
    release = contents.texts.get(STATUS, "")
    for paragraph in release.split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if "installed" not in str(fields["Status"] or "").split():
            continue
        name, version = str(fields["Package"]), str(fields["Version"])
        architecture = quote(str(fields["Architecture"]))
        yield Component(
            purl=f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}",
            name=name,
            version=version,
        )


def cyclonedx(contents: Contents, *, image: str, version: str, epoch: int | None) -> str:
    """JSON that depends on the image alone; a time only where SOURCE_DATE_EPOCH gives one."""
    subject = {
        "type": "container",
        "bom-ref": f"image:{image}:{version}",
        "name": image,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": contents.digest.removeprefix("sha256:")}],
    }
    metadata: dict[str, Any] = {"component": subject}
    if epoch is not None:
        metadata["timestamp"] = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = components(contents)
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, contents.digest)}",
        "version": 1,
        "metadata": metadata,
        "components": [_as_json(component) for component in found],
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [component.purl for component in found]}],
    }
    return json.dumps(bom, indent=2) + "\n"


def against_lock(contents: Contents, lock: str) -> list[str]:
    """Every distribution that is installed and not locked in that version, or locked and not installed."""
    installed = {component.name: component.version for component in distributions(contents)}
    oldest, newest = locked(lock, "3.11.0"), locked(lock, "3.11.99")
    always = {name for name in oldest if name in newest}  # the others depend on the base's patch level
    wanted = {**oldest, **newest}
    return [
        f"{name} {installed.get(name, 'is missing')} instead of {wanted.get(name, 'none')}"
        for name in sorted({*installed, *always})
        if installed.get(name) != wanted.get(name)
    ]


def locked(text: str, python: str) -> dict[str, str]:
    """Name and version of each entry of a lock that Linux installs with this Python."""
    entry = r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)([^\\\n]*)"
    found = re.findall(entry, text, flags=re.MULTILINE)
    return {normalized(name): version for name, version, marker in found if _applies(marker, python)}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _applies(marker: str, python: str) -> bool:
    from packaging.markers import Marker

    condition = marker.strip().lstrip(";").strip()
    return not condition or Marker(condition).evaluate(
        {
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "python_full_version": python,
        }
    )


def _license(said: str | None) -> str | None:
    line = (said or "").strip()
    return line if line and len(line) < 80 and LICENSE.match(line) else None


def _as_json(component: Component) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
    }
    if component.license:
        entry["licenses"] = [{"license": {"name": component.license}}]
    return entry
