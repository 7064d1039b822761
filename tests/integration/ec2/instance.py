"""An instance with CodeDeploy's agent: runs a revision's hooks in the order of a deployment, on fake programs of the host."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from deploy.commands.ec2_bundle import FOLDER, write_bundle
from tests.architecture.source_tree import ROOT
from tests.fakes.ec2_host.state import HostState, end, process_of

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/slipway"
HOOKS = ("BeforeInstall", "Install", "ApplicationStart", "ValidateService")
PROGRAMS = ("aws", "docker", "systemctl")


def image(digest: str) -> str:
    """By a digest that begins so."""
    return f"{REPOSITORY}@sha256:{digest.ljust(64, '1')}"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """`failed` is the hook that ended it; None where the deployment succeeded."""

    failed: str | None
    output: str


class Instance(AbstractContextManager["Instance"]):
    """`host` is what the programs did; the end of the context leaves no process behind."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, HostState(folder / "host")
        self.installed, self.state = folder / "opt", folder / "state"
        self.secrets, self.keys, self.units = folder / "secrets", folder / "keys", folder / "units"
        self.port = _free_port()
        for part in ("programs", "etc", "units"):
            (folder / part).mkdir()
        for name in PROGRAMS:
            command = f'exec "{sys.executable}" -S -m tests.fakes.ec2_host {name} "$@"'
            _program(folder / "programs" / name, command)
        _program(folder / "programs" / "chown", "exit 0")  # only root may
        self.tell(DRAIN_SECONDS="0", API_PORT=str(self.port), AWS_REGION="eu-central-1")
        (self.host.parameters / "jwt-secret-key").write_text("k" * 40)
        (self.host.parameters / "database-url").write_text("postgresql+psycopg://ada@db/slipway")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in (*self.host.units.iterdir(), *self.host.containers.iterdir()):
            number = process_of(path)
            if number:
                with contextlib.suppress(ProcessLookupError):
                    end(number)

    def tell(self, **settings: str) -> Self:
        """Lines of /etc/slipway/host.env."""
        with (self.folder / "etc" / "host.env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        return self

    def deploy(self, name: str) -> Deployment:
        """What CodeDeploy does: the old revision's ApplicationStop, then the new one's hooks, until one fails."""
        archive = self._unpacked(self.bundle(name))
        output = []
        if (self.installed / "appspec.yml").exists():
            output.append(self._hook(self.installed, "ApplicationStop").stdout)
        for hook in HOOKS:
            if hook == "Install":
                shutil.copytree(archive, self.installed, dirs_exist_ok=True)
                continue
            done = self._hook(archive, hook)
            output.append(done.stdout)
            if done.returncode:
                return Deployment(failed=hook, output="".join(output))
        return Deployment(failed=None, output="".join(output))

    def bundle(self, name: str) -> Path:
        source = self.folder / "source"
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(FOLDER, source)
        (source / "release.env").write_text(f"IMAGE={name}\n")
        write_bundle(source, self.folder / "bundle.zip")
        return self.folder / "bundle.zip"

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("sh", str(self.installed / "hooks" / name), *arguments)

    def restart(self, unit: str) -> subprocess.CompletedProcess[str]:
        return self._run("systemctl", "restart", unit)

    def _unpacked(self, bundle: Path) -> Path:
        archive = self.folder / "archive"
        shutil.rmtree(archive, ignore_errors=True)
        with zipfile.ZipFile(bundle) as packed:
            packed.extractall(
                archive
            )  # as the agent does, without the modes; it sets those of the hooks itself
        for path in archive.glob("hooks/*.sh"):
            path.chmod(0o755)
        return archive

    def _hook(self, revision: Path, name: str) -> subprocess.CompletedProcess[str]:
        (entry,) = yaml.safe_load((revision / "appspec.yml").read_text())["hooks"][name]
        return self._run("sh", str(revision / entry["location"]))

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "FAKE_HOST": str(self.host.folder),
            "FAKE_HOST_INSTALLED": str(self.installed),
            "SLIPWAY_CONFIG_DIR": str(self.folder / "etc"),
            "SLIPWAY_STATE_DIR": str(self.state),
            "SLIPWAY_SECRETS_DIR": str(self.secrets),
            "SLIPWAY_KEYS_DIR": str(self.keys),
            "SLIPWAY_UNIT_DIR": str(self.units),
            "VALIDATE_SECONDS": "5",
        }


def _program(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
