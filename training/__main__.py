"""`python -m training <command>`: data, the five stages, and what happens in the registry afterwards."""

from __future__ import annotations

import sys

from training.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
