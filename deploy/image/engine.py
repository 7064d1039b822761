"""An engine to run containers with: the one that is reachable, or on a plain Debian machine a private one for a while."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import ImageFailed
from deploy.image.programs import attempt, run
from deploy.image.settings import Backend

START_SECONDS = 60
STOP_SECONDS = 30
NETWORK = "172.30.0.1/24"  # where the bridge lies when the machine has none
REMEDY = (
    "no container engine answers. Start Docker or set DOCKER_HOST, or choose BACKEND=podman. "
    "(`make image-test` as root on Debian installs docker.io and starts a private engine for as long as it takes.)"
)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The program to call, and the variables by which it finds its server. `private` ends with the command."""

    program: str
    variables: Mapping[str, str] = field(default_factory=dict)
    private: bool = False

    def run(self, *arguments: str, given: str | None = None) -> str:
        return run([self.program, *arguments], extra=self.variables, given=given)

    def succeeds(self, *arguments: str, seconds: float = 60) -> bool:
        try:
            done = attempt([self.program, *arguments], extra=self.variables, seconds=seconds)
        except ImageFailed:  # not installed, or not in time
            return False
        return done.returncode == 0


def reachable_engine(backend: Backend) -> Engine | None:
    """buildah builds only: podman runs what it built, from the same store."""
    engine = Engine(program="docker" if backend is Backend.DOCKER else "podman")
    return engine if engine.succeeds("info") else None


def needed_engine(backend: Backend) -> Engine:
    engine = reachable_engine(backend)
    if engine is None:
        raise ImageFailed(REMEDY)
    return engine


@contextmanager
def some_engine(backend: Backend) -> Iterator[Engine]:
    """A reachable one, otherwise a private Docker; that one's images go with it."""
    found = reachable_engine(backend)
    if found is not None:
        yield found
        return
    if backend is not Backend.DOCKER:
        raise ImageFailed(REMEDY)
    install("dockerd", ("docker.io", "iptables"))
    folder = Path(tempfile.mkdtemp(prefix="slipway-engine-"))
    try:
        with _private_docker(folder) as engine:
            yield engine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def install(program: str, packages: tuple[str, ...]) -> None:
    """Debian's packages, where the program is missing and we may."""
    if shutil.which(program) is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ImageFailed(REMEDY)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "--quiet"], extra=quiet)
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    run(command, extra=quiet)


@contextmanager
def _private_docker(folder: Path) -> Iterator[Engine]:
    socket = f"unix://{folder / 'docker.sock'}"
    command = ["dockerd", "--host", socket, "--data-root", str(folder / "data"), "--bip", NETWORK]
    command += ["--exec-root", str(folder / "exec"), "--pidfile", str(folder / "docker.pid")]
    # Debian's client understands Debian's engine; another one that comes first on PATH may be too new for it.
    program = "/usr/bin/docker" if Path("/usr/bin/docker").is_file() else "docker"
    engine = Engine(program=program, variables={"DOCKER_HOST": socket}, private=True)
    with (
        (folder / "dockerd.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as server,
    ):
        try:
            _wait(engine, server, folder / "dockerd.log")
            yield engine
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(STOP_SECONDS)
            server.kill()


def _wait(engine: Engine, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not engine.succeeds("info", seconds=10):
        if server.poll() is not None or time.monotonic() > deadline:
            said = " ".join(log.read_text(errors="replace").splitlines()[-3:])
            raise ImageFailed(f"a private engine does not start: {said}")
        time.sleep(0.3)
