"""The agent as a program of its own, as a sidecar or an init container runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from serving.model_store import ModelStore
from serving.spool import SEALED, frame
from tests.architecture.source_tree import ROOT
from tests.e2e.running_service import free_ports
from tests.prediction_records import payloads

NOBODY = "127.0.0.1:9"


class AgentProgram:
    """Its folders and settings; nothing of the caller's environment but the path. Serves iris unless told otherwise."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, (self.port,) = folder, free_ports(1)
        self.store, self.spool = folder / "store", folder / "spool"
        self.spool.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SLIPWAY_ENV": "staging",
            "MODELS": "iris",
            "MODEL_POLL_SECONDS": "0.2",
            "MODEL_STORE_DIR": str(self.store),
            "SPOOL_DIR": str(self.spool),
            "AGENT_METRICS_PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{folder / 'records.db'}",
            "MLFLOW_TRACKING_URI": f"http://{NOBODY}",
            **settings,
        }

    def once(self, *, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "serving.agent", "--once", "--timeout", str(timeout_seconds)]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "agent.log").open("wb") as log:
            command = [sys.executable, "-m", "serving.agent"]
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def live(self) -> dict[str, Any]:
        """What `/livez` says; nothing while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=5) as answer:
                said: dict[str, Any] = json.loads(answer.read())
                return said
        except (urllib.error.URLError, ConnectionError):
            return {}

    def pointed(self, name: str) -> str | None:
        """The version of iris that a pointer of this name names."""
        pointer = ModelStore(self.store, name).read_pointer("iris")
        return None if pointer is None else pointer.version

    def seal(self, *prediction_ids: str) -> Path:
        """A segment as a worker leaves it when it ends."""
        path = self.spool / f"w-{prediction_ids[0]}-{len(prediction_ids)}{SEALED}"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b"".join(map(frame, payloads(*prediction_ids))))
        return fresh.rename(path)
