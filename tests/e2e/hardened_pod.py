"""What a hardened pod is made of, without a container: sources that nobody may write to, a user that no file knows, four
writable folders, and the service and its agent beside each other with the settings of the image.

As root each pod has a random user of its own, who may read what root may (an interpreter below a home, for example) and
write nothing but its own, and whatever that user wrote anywhere is found by its owner. Otherwise the sources are read-only
by their permissions. Either way the sources are compared before and after.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.architecture.source_tree import ROOT
from tests.e2e.running_service import JWT_SECRET_KEY, free_ports, issued_token
from tests.e2e.waiting import until

SOURCES = ("service.py", "serving", "auth", "catalog", "modelkit", "records")
WRITABLE = ("run", "spool", "store", "tmp")
SHARED = ("/tmp", "/var/tmp", "/dev/shm")
READY_SECONDS, STOP_SECONDS = 60.0, 40.0


class HardenedPod(AbstractContextManager["HardenedPod"]):
    """The volumes outlive a restart of the service, as an emptyDir does."""

    def __init__(self, tracking_uri: str, *, models: str, verify_keys: Path) -> None:
        # Not one of pytest's folders: nobody but their owner may enter those.
        self.root = Path(tempfile.mkdtemp(prefix="slipway-pod-"))
        self.root.chmod(0o755)
        self.app, self.secrets = self.root / "app", self.root / "secrets"
        self.api_port, self.metrics_port, self.agent_port = free_ports(3)
        self.user = _nobody()
        self._tracking_uri, self._models, self._verify_keys = tracking_uri, models, verify_keys
        self._service: subprocess.Popen[bytes] | None = None
        self._agent: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._copy_sources()
        for name in WRITABLE:
            (self.root / name).mkdir()
            (self.root / name).chmod(0o777)
        self._mount_secrets()
        self.app_before = self.tree()
        self.run("records", "upgrade")
        self._agent = self._start("serving.agent")
        self.start_service()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._service, self._agent):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(STOP_SECONDS)
        subprocess.run(["chmod", "-R", "u+w", str(self.root)], check=True)
        shutil.rmtree(self.root)

    def start_service(self) -> None:
        self._service = self._start("serving")
        until(self.is_ready, seconds=READY_SECONDS, what=f"the pod is ready\n{self.log()}")

    def end_service(self) -> int:
        """As the kubelet does it: the preStop hook, then SIGTERM."""
        self.drain_file.touch()
        until(lambda: not self.is_ready(), seconds=READY_SECONDS, what="the pod is not ready any more")
        return _ended(self._service)

    def end_agent(self) -> int:
        return _ended(self._agent)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {issued_token('predict', 'read')}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def drain_file(self) -> Path:
        return self.root / "run" / "drain"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.root}/run/slipway.db"

    def run(self, *arguments: str) -> None:
        """One of the image's other programs, to its end."""
        assert self._start(*arguments).wait(READY_SECONDS) == 0, self.log()

    def tree(self) -> dict[str, tuple[int, int]]:
        """Every file of the sources with its size and its time."""
        found = ((path, path.lstat()) for path in sorted(self.app.rglob("*")))
        return {
            str(path.relative_to(self.app)): (status.st_size, status.st_mtime_ns) for path, status in found
        }

    def strays(self) -> list[str]:
        """What this pod's user, if it has one of its own, left in the folders that all users share."""
        if self.user is None:
            return []
        entries = [entry for folder in SHARED if Path(folder).is_dir() for entry in os.scandir(folder)]
        return [entry.path for entry in entries if entry.stat(follow_symlinks=False).st_uid == self.user]

    def log(self) -> str:
        path = self.root / "log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def _copy_sources(self) -> None:
        self.app.mkdir()
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source, self.app / name, ignore=shutil.ignore_patterns("__pycache__", "recipe*")
                )
            else:
                shutil.copy(source, self.app / name)
        subprocess.run(["chmod", "-R", "a+rX,a-w", str(self.app)], check=True)

    def _mount_secrets(self) -> None:
        self.secrets.mkdir()
        held = {"jwt-secret-key": JWT_SECRET_KEY, "database-url": self.database_url}
        for name in MOUNTED.values():
            (self.secrets / name).write_text(held.get(name, ""))
        shutil.copy(self._verify_keys, self.secrets / "model-keys.pem")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen(
                [*_become(self.user), sys.executable, "-m", *arguments],
                cwd=self.app,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _environment(self) -> dict[str, str]:
        """The image's, with our folders, and the deployment's."""
        run, tmp = self.root / "run", str(self.root / "tmp")
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            **{"HOME": tmp, "TMPDIR": tmp, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
            **{"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            **{"BENTOML_HOME": f"{run}/bentoml", "BENTOML_DO_NOT_TRACK": "True"},
            **{"METRICS_DIR": f"{run}/metrics", "DRAIN_FILE": str(self.drain_file)},
            **{"SPOOL_DIR": f"{self.root}/spool", "MODEL_STORE_DIR": f"{self.root}/store"},
            **{"FEATURES_URL": str(self.app / "baked"), "AGENT_ENABLED": "false", "MODELS": self._models},
            **{"API_PORT": str(self.api_port), "METRICS_PORT": str(self.metrics_port)},
            **{"AGENT_METRICS_PORT": str(self.agent_port), "MLFLOW_TRACKING_URI": self._tracking_uri},
            **{f"{name}_FILE": str(self.secrets / file) for name, file in MOUNTED.items()},
            "MODEL_VERIFY_KEYS_FILE": str(self.secrets / "model-keys.pem"),
            "MODEL_POLL_SECONDS": "0.5",
        }


MOUNTED = {
    "JWT_SECRET_KEY": "jwt-secret-key",
    "JWT_SIGNING_KEY": "jwt-signing-key",
    "DATABASE_URL": "database-url",
    "REDIS_URL": "redis-url",
    "FEATURES_URL": "features-url",
}


def _nobody() -> int | None:
    """A user without an entry anywhere; None where only our own user is to be had."""
    return random.randrange(200_000, 900_000) if os.geteuid() == 0 and shutil.which("setpriv") else None


def _become(user: int | None) -> list[str]:
    if user is None:
        return []
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", *identity, *reading, "--bounding-set=-all,+dac_read_search"]


def _ended(process: subprocess.Popen[bytes] | None) -> int:
    assert process is not None
    process.terminate()
    return process.wait(STOP_SECONDS)
