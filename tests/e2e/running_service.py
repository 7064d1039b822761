"""The service as its users run it: `python -m serving` with ports, folders and processes of its own."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from auth.keys import SecretKeys
from auth.tokens import TokenIssuer
from tests.architecture.source_tree import ROOT
from tests.e2e.processes import carrying, children, command_line, is_alive
from tests.e2e.waiting import until

JWT_SECRET_KEY = "nPq8-vT2x_4Zr7Lw0kYbS6dJm3HfQ9cE1gUa"
READY_SECONDS = 60.0
STOP_SECONDS = 40.0
WORKER, AGENT = "_bentoml_impl.worker.service", "serving.agent"
TAG = "SPOOL_DIR"  # the variable by which processes of this service are told from all others


class RunningService(AbstractContextManager["RunningService"]):
    """May be killed and started again on the same ports and folders. The end of the context leaves no process behind."""

    def __init__(
        self, folder: Path, project: Path = ROOT, /, *, tracking_uri: str, database_url: str, **settings: str
    ) -> None:
        self.folder = folder
        self._project = project
        self.api_port, self.metrics_port, self.agent_metrics_port = free_ports(3)
        self.spool, self.drain_file, self.metrics_folder = (
            folder / "spool",
            folder / "drain",
            folder / "metrics",
        )
        self.database_url, self.tracking_uri = database_url, tracking_uri
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "service.log"
        self.output: int | None = None  # of a descriptor that is to be used instead
        self.files: tuple[int, int] | None = None  # that it may have open: the soft limit and the hard one

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill(*self.left)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"the service's log ends with:\n{self.log_tail()}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        self.kill(*self.left)

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "serving"],
                cwd=self._project,
                env=self.environment(),
                stdout=log if self.output is None else self.output,
                stderr=log,
            )
        if self.files is not None:
            resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, self.files)

    def stop(self) -> int:
        """SIGTERM to the parent, as an orchestrator says it, and the exit code."""
        self.terminate()
        return self.wait()

    def terminate(self, number: int = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(STOP_SECONDS)

    def kill(self, *pids: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)), seconds=10, what=f"{pids} are dead")
        if self._process is not None and self._process.pid in pids:
            self._process.wait(STOP_SECONDS)

    def wait_until_ready(self) -> None:
        until(self.is_ready, seconds=READY_SECONDS, what=f"/readyz says 200\n{self.log_tail()}")

    def is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the service ended\n{self.log_tail()}"
        return self.answers()

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def parent(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        return [pid for pid in children(self.parent) if is_alive(pid) and WORKER in command_line(pid)]

    @property
    def agents(self) -> list[int]:
        """Those of this service's, wherever they hang in the tree."""
        return [pid for pid in self.left if AGENT in command_line(pid)]

    @property
    def left(self) -> list[int]:
        """Every living process of this service, orphans included."""
        return carrying(TAG, str(self.spool))

    def agent_of(self, worker: int) -> int | None:
        found = [pid for pid in children(worker) if is_alive(pid) and AGENT in command_line(pid)]
        return found[0] if found else None

    def wait_for_agent(self) -> int:
        """The one agent, once a worker has it."""

        def found() -> int:
            agents = {self.agent_of(worker) for worker in self.workers} - {None}
            return agents.pop() or 0 if len(agents) == 1 else 0

        return until(found, seconds=READY_SECONDS, what=f"one agent runs\n{self.log_tail()}")

    def token(self, *scopes: str, ttl_seconds: int = 3600, age_seconds: int = 0) -> str:
        """As the service itself would issue it; `age_seconds` ago."""
        return issued_token(*scopes, ttl_seconds=ttl_seconds, age_seconds=age_seconds)

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {token or self.token()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10)

    def log_tail(self, lines: int = 30) -> str:
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's but the path: settings of a developer's shell are not under test."""
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "BENTOML_HOME": str(self.folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "SLIPWAY_ENV": "dev",
            "JWT_SECRET_KEY": JWT_SECRET_KEY,
            "API_PORT": str(self.api_port),
            "METRICS_PORT": str(self.metrics_port),
            "AGENT_METRICS_PORT": str(self.agent_metrics_port),
            "DATABASE_URL": self.database_url,
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            "MODEL_POLL_SECONDS": "0.3",
            "MODEL_STORE_DIR": str(self.folder / "store"),
            "METRICS_DIR": str(self.metrics_folder),
            "DRAIN_FILE": str(self.drain_file),
            TAG: str(self.spool),
        }
        return own | self._settings


def issued_token(*scopes: str, ttl_seconds: int = 3600, age_seconds: int = 0) -> str:
    """What a service that signs with our key would issue."""
    issuer = TokenIssuer(
        SecretKeys(JWT_SECRET_KEY, setting="JWT_SECRET_KEY"),
        issuer="slipway",
        audience="slipway",
        ttl_seconds=ttl_seconds,
        clock=lambda: time.time() - age_seconds,
    )
    return issuer.issue(subject="ada", scopes=frozenset(scopes or ("predict", "read"))).access_token


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
