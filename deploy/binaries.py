"""Programs that no Python package carries, put into `.venv-tools/bin`: `python -m deploy.binaries kustomize promtool`.

One on PATH is used if its version is right; then Debian's package; then the project's release, checked by its SHA-256. Only
the standard library is used: it runs before there is an environment.
"""

from __future__ import annotations

import hashlib
import io
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy import debian
from deploy.errors import DeliveryError

FOLDER = Path(__file__).resolve().parents[1] / ".venv-tools" / "bin"
DOWNLOAD_SECONDS = 120
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    version: str
    newer_is_fine: bool = False  # kustomize's output is compared byte by byte; a checker may be newer
    ask: tuple[str, ...] = ("--version",)
    package: debian.Package | None = None
    release: str = ""  # address, with {version}, {platform} and {dashed}
    member: str = ""  # path in the archive, with the same; empty: the download is the program
    sha256: Mapping[str, str] = field(default_factory=dict)  # by platform

    def accepts(self, answer: str) -> bool:
        found = re.search(r"\d+\.\d+\.\d+", answer)
        if not found:
            return False
        if self.newer_is_fine:
            return _numbers(found[0]) >= _numbers(self.version)
        return found[0] == self.version


GITHUB = "https://github.com"
PROGRAMS = {
    program.name: program
    for program in (
        Program(
            name="kustomize",
            version="5.6.0",
            ask=("version",),
            package=debian.Package(name="kustomize", version="5.6.0", member="./usr/bin/kustomize"),
            release=f"{GITHUB}/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv{{version}}/"
            "kustomize_v{version}_{platform}.tar.gz",
            member="kustomize",
            sha256={
                "linux_amd64": "54e4031ddc4e7fc59e408da29e7c646e8e57b8088c51b84b3df0864f47b5148f",
                "linux_arm64": "ad8ab62d4f6d59a8afda0eec4ba2e5cd2f86bf1afeea4b78d06daac945eb0660",
                "darwin_amd64": "3432be97f9fb4899148bf2485ccf9080e5e7702758eb16c92cd2f2f335e12a03",
                "darwin_arm64": "791d9497d2973d4af17c9c0c2b3991ce82e61d1a2bf79f4ef78dd9dce25a6d3d",
            },
        ),
        Program(
            name="promtool",
            version="2.42.0",
            newer_is_fine=True,
            package=debian.Package(name="promtool", version="2.", member="./usr/bin/promtool"),
            release=f"{GITHUB}/prometheus/prometheus/releases/download/v2.53.4/prometheus-2.53.4.linux-amd64.tar.gz",
            member="prometheus-2.53.4.linux-amd64/promtool",
            sha256={"linux_amd64": "b8b497c4610d1b93208252b60c8f20f6b2e78596ae8df43397a2e805aa53d475"},
        ),
        Program(
            name="cosign",
            version="2.4.0",
            newer_is_fine=True,
            ask=("version",),
            package=debian.Package(name="cosign", version="2.", member="./usr/bin/cosign"),
            release=f"{GITHUB}/sigstore/cosign/releases/download/v2.4.1/cosign-{{dashed}}",
            sha256={
                "linux_amd64": "8b24b946dd5809c6bd93de08033bcf6bc0ed7d336b7785787c080f574b89249b",
                "linux_arm64": "3b2e2e3854d0356c45fe6607047526ccd04742d20bd44afb5be91fa2a6e7cb4a",
            },
        ),
        Program(
            name="actionlint",
            version="1.7.12",
            newer_is_fine=True,
            release=f"{GITHUB}/rhysd/actionlint/releases/download/v{{version}}/"
            "actionlint_{version}_{platform}.tar.gz",
            member="actionlint",
            sha256={"linux_amd64": "8aca8db96f1b94770f1b0d72b6dddcb1ebb8123cb3712530b08cc387b349a3d8"},
        ),
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        for name in sys.argv[1:] if arguments is None else arguments:
            sys.stdout.write(f"{name}: {ensure(name)}\n")
    except DeliveryError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def ensure(name: str, folder: Path = FOLDER) -> Path:
    """Where the program is; it is fetched when it is not there yet."""
    if name not in PROGRAMS:
        raise DeliveryError(f"no program called {name}; known: {', '.join(PROGRAMS)}")
    program, place = PROGRAMS[name], folder / name
    if place.exists():  # it got there through a check; a link to what is gone does not exist
        return place
    ways: tuple[Callable[[Program, Path], None], ...] = (_from_path, _from_debian, from_release)
    reasons = []
    for way in ways:
        try:
            way(program, place)
        except DeliveryError as error:
            reasons.append(str(error))
        else:
            return place
    listed = "\n".join(f"  - {reason}" for reason in reasons)
    raise DeliveryError(
        f"{name} {program.version} is needed and could not be had:\n{listed}\nPut it on PATH."
    )


def _from_path(program: Program, place: Path) -> None:
    found = shutil.which(program.name)
    if found is None:
        raise DeliveryError("not on PATH")
    done = subprocess.run([found, *program.ask], capture_output=True, text=True, timeout=60, check=False)
    answer = done.stdout + done.stderr
    if not program.accepts(answer):
        raise DeliveryError(f"{found} is {(answer.strip() or 'silent').splitlines()[0]}")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(Path(found).resolve())


def _from_debian(program: Program, place: Path) -> None:
    if program.package is None:
        raise debian.UnavailableError("Debian has no package of it")
    debian.extract(program.package, place)


def from_release(program: Program, place: Path) -> None:
    machine = MACHINES.get(platform.machine().lower(), platform.machine())
    here = f"{platform.system().lower()}_{machine}"
    if here not in program.sha256:
        raise DeliveryError(f"no release of it is known by its checksum for {here}")
    address = program.release.format(version=program.version, platform=here, dashed=here.replace("_", "-"))
    try:
        with urllib.request.urlopen(address, timeout=DOWNLOAD_SECONDS) as answer:  # noqa: S310 (https, written above)
            archive = answer.read()
    except OSError as error:
        raise DeliveryError(f"{address}: {error}") from None
    if hashlib.sha256(archive).hexdigest() != program.sha256[here]:
        raise DeliveryError(f"{address} is not the file that its checksum names")
    if program.member:
        unpack(archive, program.member, place)
    else:
        _put(archive, place)


def unpack(archive: bytes, member: str, place: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        content = files.extractfile(member)
        if content is None:
            raise DeliveryError(f"no {member} in the archive")
        _put(content.read(), place)


def _put(program: bytes, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    staged = place.with_name(f".{place.name}.new")
    staged.write_bytes(program)
    staged.chmod(0o755)
    staged.replace(place)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


if __name__ == "__main__":
    sys.exit(main())
