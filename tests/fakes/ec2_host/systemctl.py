"""`systemctl` as the hooks use it: runs what unit files say, with the paths of an instance led into the test's folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

from tests.fakes.ec2_host.state import HostState, end, process_of

START_SECONDS = 10.0


def main(state: HostState, arguments: list[str]) -> int:
    match arguments:
        case ["daemon-reload"] | ["enable", *_]:
            return 0
        case ["is-active", "--quiet", unit]:
            return 0 if process_of(state.units / unit) else 3
        case ["stop", unit]:
            return _stop(state, unit)
        case ["restart", unit]:
            return _restart(state, unit)
    return 64


def _restart(state: HostState, unit: str) -> int:
    """With it goes and comes whatever runs and requires it; what merely wants it stays as it is."""
    along = [
        path.name
        for path in state.units.iterdir()
        if process_of(path) and unit in _listed(path.name, "Requires")
    ]
    for each in (*along, unit):
        _stop(state, each)
    return max([_start(state, each) for each in (unit, *along)])


def _listed(unit: str, key: str) -> list[str]:
    return [name for value in _service(unit).get(key, []) for name in value.split()]


def _start(state: HostState, unit: str) -> int:
    service = _service(unit)
    required = _listed(unit, "Requires")
    for needed in (*required, *_listed(unit, "Wants")):
        absent = needed.startswith("slipway") and not (state.units / needed).exists()
        if absent and _start(state, needed) and needed in required:
            return 1
    for before in service.get("ExecStartPre", []):
        subprocess.run(shlex.split(before.removeprefix("-")), check=False)
    command = shlex.split(service["ExecStart"][0])
    if service.get("Type") == ["oneshot"]:
        done = subprocess.run(command).returncode
        if done == 0:
            (state.units / unit).write_text("0")
        return done
    with (state.folder / f"{unit}.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    (state.units / unit).write_text(str(process.pid))
    _wait_for_container(state, "slipway" if unit == "slipway.service" else "slipway-agent")
    return 0


def _wait_for_container(state: HostState, name: str) -> None:
    """systemd does not wait; the next command of a hook is slower than Docker, and here it is not."""
    deadline = time.monotonic() + START_SECONDS
    while process_of(state.containers / name) is None and time.monotonic() < deadline:
        time.sleep(0.02)


def _stop(state: HostState, unit: str) -> int:
    if not (Path(os.environ["SLIPWAY_UNIT_DIR"]) / unit).exists():
        return 5
    number = process_of(state.units / unit)
    if number is None:
        return 0
    service = _service(unit)
    for command in service.get("ExecStop", []):
        subprocess.run(shlex.split(command), check=False)
    if process_of(state.units / unit):
        end(number)
    for command in service.get("ExecStopPost", []):
        subprocess.run(shlex.split(command), check=False)
    (state.units / unit).unlink()
    return 0


def _service(unit: str) -> dict[str, list[str]]:
    text = (Path(os.environ["SLIPWAY_UNIT_DIR"]) / unit).read_text()
    for real, here in (
        ("/opt/slipway", os.environ["FAKE_HOST_INSTALLED"]),
        ("/usr/bin/docker", "docker"),
        ("/var/lib/slipway", os.environ["SLIPWAY_STATE_DIR"]),
    ):
        text = text.replace(real, here)
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found
