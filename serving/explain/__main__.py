"""`python -m serving.explain`: the explainer, a worker's child. Its standard input is a socket to the worker, and it ends
with it: a worker that is gone, however it went, leaves no explainer behind.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
from pathlib import Path

NICENESS = 10  # predictions go first


def main() -> int:
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # where memory runs out, it is ours that goes
        Path("/proc/self/oom_score_adj").write_text("1000")
    for number in (signal.SIGTERM, signal.SIGINT):  # of a whole group: the worker says when we are done
        signal.signal(number, signal.SIG_IGN)
    arguments = argparse.ArgumentParser(prog="python -m serving.explain", description=__doc__)
    arguments.add_argument("--catalog", required=True, help="package of the models' declarations")
    catalog = arguments.parse_args().catalog
    # Imported late: what comes before must not run at a worker's priority for long.
    from modelkit.definition import load_catalog
    from serving.explain.desk import Desk
    from serving.explain.messages import READY, decode_job, encode, framed

    desk = Desk(load_catalog(catalog))
    with socket.socket(fileno=0) as worker:
        try:
            worker.sendall(READY)
            while (message := _read_frame(worker)) is not None:
                worker.sendall(framed(encode(desk.answer(decode_job(message)))))
        except ConnectionError:
            pass
    return 0


def _read_frame(worker: socket.socket) -> bytes | None:
    """None at the end."""
    head = _read(worker, 4)
    return None if head is None else _read(worker, int.from_bytes(head, "big"))


def _read(worker: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        part = worker.recv(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
