"""How many connections the process can hold: each is a descriptor, and so is everything else that it opens.

A process that has none left cannot open the spool's next segment either, and then records are lost or answers refused.
"""

from __future__ import annotations

import contextlib
import resource

import structlog

# For the spool, models, SQL, Redis, metrics, connections of the gRPC port, and those who are being told that there is no room.
KEPT_BACK = 256


def connections_within_reach(wanted: int) -> int:
    """`wanted`, or as many as the process can hold with all the files that it may have open.

    Shells and containers often start a process with 1,024 and allow it far more.
    """
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS says that there is no limit, and has one
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(files - KEPT_BACK, files // 4)
    if files == resource.RLIM_INFINITY or wanted <= most:
        return wanted
    structlog.get_logger("slipway.service").warning(
        "fewer connections than MAX_CONNECTIONS: the process may open too few files (ulimit -n)",
        max_connections=wanted,
        connections=most,
        files=files,
    )
    return most
