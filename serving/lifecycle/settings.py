"""The settings of a replica's end, and what workers must find in their environment before they start."""

from __future__ import annotations

import os

from pydantic import BaseModel, Field

PARENT_VARIABLE = "SLIPWAY_PARENT"
# numpy's and ONNX Runtime's pools take one thread per core of the node, however few the container may use.
# libuv has four for looking up host names, and the only one it looks up is that of Redis.
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "UV_THREADPOOL_SIZE")
# glibc's malloc keeps what large requests needed once, and a heap per thread; here it gives large blocks back.
MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(256 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 1024 * 1024),
}
DRAIN_LIMIT_SECONDS = 30


class LifecycleSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    drain_limit_seconds: int = Field(
        DRAIN_LIMIT_SECONDS, ge=1, le=600, description="after SIGTERM, requests under way have so long to end"
    )


def prepare_workers() -> None:
    """What is started from here knows its parent, and reports to nobody that it serves."""
    os.environ[PARENT_VARIABLE] = str(os.getpid())
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")


def restrain_native_code() -> None:
    """For what is started from here: threads and memory of native libraries, unless somebody has said otherwise."""
    for name, value in (dict.fromkeys(POOLS, "1") | MALLOC).items():
        os.environ.setdefault(name, value)


def parent_that_started_us() -> int | None:
    """None where BentoML was started without us."""
    named = os.environ.get(PARENT_VARIABLE, "")
    return int(named) if named.isdigit() else None
