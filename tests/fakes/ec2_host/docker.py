"""`docker` as the hooks use it. A container of the service is a real HTTP server on the published port; its image says how it is.

An image whose digest begins with `bad` starts and is never ready; one with `f00` cannot migrate the database.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.fakes.ec2_host.state import HostState, end, process_of

NEVER_READY, NO_MIGRATION = "@sha256:bad", "@sha256:f00"


def main(state: HostState, arguments: list[str]) -> int:
    match arguments:
        case ["login", *_]:
            return 0 if sys.stdin.read().strip() == "a-token-of-ecr" else 1
        case ["pull", "--quiet", image]:
            return _pull(state, image)
        case ["image", *command]:
            return _image(state, command)
        case ["inspect", "--format", _, name]:
            return _inspect(state, name)
        case ["stop", "-t", seconds, name]:
            return _stop(state, name, float(seconds))
        case ["rm", "--force", _]:
            return 0
        case ["run", *options]:
            return _run(state, options)
    return 64


def _pull(state: HostState, image: str) -> int:
    if not state.is_registered(image):
        sys.stderr.write(f"manifest for {image} not found\n")
        return 1
    state.images = [*(name for name in state.images if name != image), image]
    return 0


def _image(state: HostState, command: list[str]) -> int:
    if command[0] == "ls":
        sys.stdout.write("\n".join(state.images) + "\n")
    else:
        state.images = [name for name in state.images if name != command[-1]]
    return 0


def _inspect(state: HostState, name: str) -> int:
    container = state.containers / name
    if process_of(container) is None:
        return 1
    sys.stdout.write(container.read_text().split()[1] + "\n")
    return 0


def _stop(state: HostState, name: str, seconds: float) -> int:
    number = process_of(state.containers / name)
    if number is None:
        return 1
    end(number, seconds=min(seconds, 10))
    return 0


def _run(state: HostState, options: list[str]) -> int:
    image = next(part for part in options if "@sha256:" in part)
    command = options[options.index(image) + 1 :]
    if image not in state.images:
        sys.stderr.write(f"no such image: {image}\n")
        return 125
    match command:
        case ["records", "upgrade"]:
            return 1 if NO_MIGRATION in image else 0
        case ["k8s", "smoke", *_]:
            return _smoke(state)
    name, port = _after(options, "--name"), _after(options, "--publish").split(":")[0]
    container = state.containers / name
    container.write_text(f"{os.getpid()} {image} {port}")
    try:
        if command == ["serving"]:
            _serve(int(port), image, drain=_mounted(options, "/var/lib/slipway/run") / "drain")
        else:
            signal.signal(signal.SIGTERM, _leave)
            signal.pause()
    except SystemExit:
        pass
    finally:
        container.unlink()
    return 0


def _after(options: list[str], option: str) -> str:
    return options[options.index(option) + 1]


def _serve(port: int, image: str, *, drain: Path) -> None:
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = NEVER_READY not in image and not drain.exists()
            self._answer(200 if ready or self.path != "/readyz" else 503)

        def do_POST(self) -> None:
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests read what programs were called with, not this."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()


def _mounted(options: list[str], target: str) -> Path:
    wanted = next(option for option in options if option.endswith(f"target={target}"))
    return Path(wanted.split("source=")[1].split(",")[0])


def _smoke(state: HostState) -> int:
    """What the real one begins with: ready, then a prediction."""
    import urllib.error
    import urllib.request

    container = state.containers / "slipway"
    if process_of(container) is None:
        return 1
    port = container.read_text().split()[2]
    try:
        for request in (
            f"http://127.0.0.1:{port}/readyz",
            urllib.request.Request(f"http://127.0.0.1:{port}/predict/iris", data=b"{}"),
        ):
            urllib.request.urlopen(request, timeout=5).close()
    except urllib.error.URLError:
        return 1
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit
