"""What docs/protocols.md prints works as it is printed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.http.oip_surface import MODEL, VERSION
from tests.architecture.source_tree import ROOT
from tests.client_environments import client_python
from tests.front_service import FrontService
from tests.served_front import served

PAGE = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
SECONDS = 60


def section(title: str) -> str:
    return re.split(r"\n##? ", re.split(rf"\n## {title}\n", PAGE, maxsplit=1)[1])[0]


def printed(title: str, language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", section(title), flags=re.DOTALL))


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    service = FrontService(tmp_path_factory.mktemp("protocols"))
    yield service
    service.close()


def run(front: FrontService, *command: str | Path) -> str:
    with served(front) as running:
        token = front.token()["authorization"].removeprefix("Bearer ")
        environment = {"PATH": os.environ["PATH"], "SLIPWAY": running.url, "TOKEN": token}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("title", "said"),
    [("Open Inference Protocol", '"id":"41"'), ("KServe v1", '"predictions":[{"prediction"')],
    ids=["v2", "v1"],
)
def test_the_commands_work(front: FrontService, title: str, said: str) -> None:
    assert said in run(front, "bash", "-c", f"set -euo pipefail\n{printed(title, 'sh')}")


def test_the_program_works(front: FrontService, tmp_path: Path) -> None:
    program = tmp_path / "ask.py"
    program.write_text(printed("Open Inference Protocol", "python"), encoding="utf-8")
    assert "b'" in run(front, client_python("triton"), program)


def test_the_paths_are_ones_that_are_served() -> None:
    told = set(re.findall(r"/v2/models/\{model\}[a-z{}/]*", PAGE))
    served_paths = {MODEL, VERSION, f"{MODEL}/infer", f"{MODEL}/ready"}
    assert told <= served_paths
