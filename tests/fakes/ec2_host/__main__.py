"""`python -m tests.fakes.ec2_host PROGRAM ARGUMENT...`: what the little scripts on the hooks' PATH run.

A deployment calls two dozen of them: each imports no more than it needs.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from tests.fakes.ec2_host.state import HostState


def main() -> int:
    program, arguments = sys.argv[1], sys.argv[2:]
    state = HostState(Path(os.environ["FAKE_HOST"]))
    state.record(program, arguments)
    return int(importlib.import_module(f"tests.fakes.ec2_host.{program}").main(state, arguments))


if __name__ == "__main__":
    sys.exit(main())
