"""CPU of a refusal, apart from everything else: a service with no place left, and callers who ask for one."""

from __future__ import annotations

import contextlib
import socket

from bench.entrants import Entrant
from bench.load import request_head, run_wrk

CONNECTIONS, SECONDS = 16, 4.0
# As many as warm the service up at a time; then they are held, by uploads that never end.
PLACES = 16


def refusal_cpu_ms(entrant: Entrant, *, core: int) -> float | None:
    """None where nobody was refused: MAX_IN_FLIGHT must be PLACES."""
    entrant.server.settle()
    target = entrant.start.misses
    with contextlib.ExitStack() as held:
        for _ in range(PLACES):
            holder = held.enter_context(socket.create_connection(("127.0.0.1", target.port)))
            holder.sendall(f"{request_head(target)}Content-Length: 1000\r\n\r\n".encode())
        before = entrant.server.tree()
        found = run_wrk(target, connections=CONNECTIONS, seconds=SECONDS, first=900_000_000, core=core)
        after = entrant.server.tree()
    spent = max(
        stat.cpu_seconds - (before[pid].cpu_seconds if pid in before else 0.0) for pid, stat in after.items()
    )
    return 1000 * spent / found.requests if found.status_errors > 0.99 * found.requests else None
