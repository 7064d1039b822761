"""Programs out of Debian's packages, so that a machine with a package mirror and nothing else can still have them.

Nothing is installed and no root is needed: apt reads the suite's index into a folder of its own, checks it against Debian's
archive keys, downloads the package, and one file is taken out of it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeliveryError

SUITE = "trixie"  # its packages run on bookworm too
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TOOLS = ("apt-get", "apt-cache", "dpkg-deb", "tar")
LIMIT_SECONDS = 300


class UnavailableError(DeliveryError):
    """This machine cannot get the program this way; the caller tries the next."""


@dataclass(frozen=True, kw_only=True)
class Package:
    name: str
    version: str  # how its version has to begin
    member: str  # path of the program in the package


def extract(package: Package, destination: Path) -> None:
    """Put the program of a package at `destination`."""
    mirror = debian_mirror()
    with tempfile.TemporaryDirectory(prefix="slipway-apt-") as folder:
        apt = _private_apt(Path(folder), mirror)
        _run(["apt-get", *apt, "--quiet", "update"], cwd=folder)
        candidate = _candidate(_run(["apt-cache", *apt, "policy", package.name], cwd=folder))
        if not candidate.startswith(package.version):
            raise UnavailableError(
                f"Debian's {package.name} is {candidate or 'missing'}, not {package.version}"
            )
        _run(["apt-get", *apt, "--quiet", "download", package.name], cwd=folder)
        deb = next(Path(folder).glob("*.deb"))
        _run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -x "$1"', str(deb), package.member], cwd=folder)
        destination.parent.mkdir(parents=True, exist_ok=True)
        staged = destination.with_name(f".{destination.name}.new")
        shutil.copy2(Path(folder) / package.member, staged)
        staged.replace(destination)


def debian_mirror() -> str:
    """The archive that this machine is set up to use, whichever way its sources are written."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise UnavailableError(f"no Debian packages without {', '.join(missing)}")
    if not KEYRING.is_file():
        raise UnavailableError(f"no Debian packages without {KEYRING}")
    wanted = "$(REPO_URI)|$(COMPONENT)|$(SUITE)"
    listed = _run(["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"], cwd="/")
    for line in listed.splitlines():
        address, component, suite = line.split("|")
        if (
            component == "main"
            and "security" not in address
            and not suite.endswith(("-updates", "-security"))
        ):
            return address
    raise UnavailableError("apt has no Debian mirror among its sources")


def _private_apt(folder: Path, mirror: str) -> list[str]:
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n", encoding="utf-8")
    options = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke-Success::": "",
    }
    return [part for key, value in options.items() for part in ("-o", f"{key}={value}")]


def _candidate(policy: str) -> str:
    lines = (line.strip() for line in policy.splitlines())
    return next(
        (line.removeprefix("Candidate:").strip() for line in lines if line.startswith("Candidate:")), ""
    )


def _run(command: list[str], *, cwd: Path | str) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
        raise UnavailableError(f"{command[0]} failed: {last}")
    return done.stdout
