"""`python -m auth.key_check FILE`: what the service would make of a file of keys, before it is mounted; names of keys only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from auth.keys import KeyList, read_secrets
from auth.pem_keys import read_pem_keys

PEM_MARK = "-----BEGIN"


def main(arguments: Sequence[str] | None = None, *, typed: TextIO | None = None) -> int:
    """Exit code 1: the service would refuse the file, and why."""
    parser = argparse.ArgumentParser(prog="python -m auth.key_check", description=__doc__)
    parser.add_argument(
        "file", help="private keys in PEM, or shared secrets, one a line; - is standard input"
    )
    named = parser.parse_args(arguments).file
    try:
        told = _table(_read(named, typed or sys.stdin))
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{named} cannot be read ({type(error).__name__})\n")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
    else:
        sys.stdout.write(told)
        return 0
    return 1


def _read(named: str, typed: TextIO) -> KeyList:
    text = typed.read() if named == "-" else Path(named).read_text(encoding="utf-8")
    listed = (read_pem_keys if PEM_MARK in text else read_secrets)(text, setting=named)
    if not listed.keys:
        raise ValueError(f"{named} holds no key")
    return listed


def _table(listed: KeyList) -> str:
    believed = [key for key in listed.keys if key.kid not in listed.revoked]
    lines = [f"{'kid':<43}  algorithm  use"]
    for key in listed.keys:
        use = "revoked" if key not in believed else "signs" if key == believed[0] else "verifies"
        lines.append(f"{key.kid:<43}  {key.algorithm:<9}  {use}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
