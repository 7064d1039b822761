"""What is asked from inside a running image: what it may do, what it holds, and what it must not hold."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from deploy.image.container import Container
from deploy.image.trial import Report

# None of these may be importable: what trains, what installs, and a recipe of every model.
ABSENT = ("training", "deploy", "tests", "sklearn", "catboost", "pandas", "dvc", "pip", "setuptools")
IMPORTS = """
import importlib.util, pathlib
def there(name):
    try: return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError: return False
recipes = [f"catalog.{p.name}.recipe" for p in pathlib.Path("catalog").iterdir() if p.is_dir()]
print(" ".join(name for name in [*NAMES, *recipes] if there(name)))
"""
WRITES = """
import pathlib
done = []
for folder in ("/", "/app", "/app/bento/src", "/etc", "/var/lib/slipway", "/home", "/usr"):
    try: (pathlib.Path(folder) / "probe").write_text("x"); done.append(folder)
    except OSError: pass
print(" ".join(done))
"""
MAY = """
import os
said = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.getuid(), os.getgid(), said["NoNewPrivs"].strip(), int(said["CapEff"], 16), int(said["CapBnd"], 16))
"""
PARQUET = """
import pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({"a": ["x", "y"], "b": [1.0, 2.0]}), "/tmp/probe.parquet")
print(sum(batch.num_rows for batch in pq.ParquetFile("/tmp/probe.parquet").iter_batches(batch_size=1)))
"""
METRICS = """
import urllib.request
for port in (9100, 9101):
    print(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).status, end=" ")
"""
TOOLS = """
import subprocess, sys
for module in (["k8s", "smoke"], ["k8s", "dev-secret"], ["serving.agent"], ["records"], ["auth"]):
    done = subprocess.run([sys.executable, "-m", *module, "--help"], capture_output=True, text=True)
    if done.returncode: print(" ".join(module), done.stderr.splitlines()[-1:])
"""


def check_inside(report: Report, container: Container, user: int) -> None:
    report.equal(
        "user, group, no new privileges, no capabilities", container.python(MAY).said, f"{user} {user} 1 0 0"
    )
    report.equal("nothing is writable but the mounts", container.python(WRITES).said, "")
    imports = IMPORTS.replace("NAMES", repr(list(ABSENT)))
    report.equal("no training code, no recipe, no installer", container.python(imports).said, "")
    report.equal("every command of the image starts", container.python(TOOLS).said, "")
    report.equal(
        "metrics have ports of their own, the agent's too", container.python(METRICS).said, "200 200"
    )
    report.equal("the agent can read Parquet", container.python(PARQUET).said, "2")


def check_log(report: Report, database: Path) -> None:
    """Once the container has stopped: what it had acknowledged is in SQL."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT count(*), sum(cached) FROM predictions").fetchone()
    report.equal("both predictions are in the database, one of them cached", tuple(rows), (2, 1))
