"""The machine that a run took place on, as far as it may be told: sizes and versions, no names."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from bench.load import ensure_wrk
from bench.results import Machine


def describe_machine() -> Machine:
    return Machine(
        processor=processor_name(Path("/proc/cpuinfo").read_text()),
        cores=os.cpu_count() or 1,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        kernel=platform.release().split("-")[0],
        python=platform.python_version(),
        wrk=_wrk_version(),
    )


def processor_name(cpuinfo: str) -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def _wrk_version() -> str:
    done = subprocess.run([ensure_wrk(), "-v"], capture_output=True, text=True, check=False)
    found = re.search(r"\b\d+\.\d+\.\d+\b", done.stdout + done.stderr)
    return found.group() if found else "unknown"
