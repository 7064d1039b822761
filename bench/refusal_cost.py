"""CPU of a refusal: what a service spends beyond its answers, under callers who ask again at once, whatever they are told."""

from __future__ import annotations

from bench.entrants import Entrant
from bench.load import LoadResult, run_wrk

CONNECTIONS, SECONDS = 400, 5.0
# So few refusals say nothing of their cost beside that of the answers.
ENOUGH = 2000


def refusal_cpu_ms(entrant: Entrant, *, core: int) -> float | None:
    """With the limits as they are, so that what is asked of a caller's share is in it. None where few were refused."""
    entrant.server.settle()
    answer_seconds, _ = _spent(entrant, 1, 900_000_000, core)
    entrant.server.settle()
    seconds, found = _spent(entrant, CONNECTIONS, 950_000_000, core)
    answered = found.requests - found.status_errors
    if found.status_errors < ENOUGH:
        return None
    return 1000 * max(0.0, seconds * found.requests - answer_seconds * answered) / found.status_errors


def _spent(entrant: Entrant, connections: int, first: int, core: int) -> tuple[float, LoadResult]:
    """Seconds of CPU of a request, of the process that answers."""
    before = entrant.server.tree()
    found = run_wrk(entrant.start.misses, connections=connections, seconds=SECONDS, first=first, core=core)
    after = entrant.server.tree()
    spent = max(
        stat.cpu_seconds - (before[pid].cpu_seconds if pid in before else 0.0) for pid, stat in after.items()
    )
    return spent / found.requests, found
