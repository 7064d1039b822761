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
        listed = _read(named, typed or sys.stdin)
    except (OSError, UnicodeDecodeError) as error:
        print(f"{named} cannot be read ({type(error).__name__})", file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if not listed.keys:
        print(f"{named} holds no key", file=sys.stderr)
        return 1
    print(_table(listed))
    return 0


def _read(named: str, typed: TextIO) -> KeyList:
    text = typed.read() if named == "-" else Path(named).read_text(encoding="utf-8")
    return (read_pem_keys if PEM_MARK in text else read_secrets)(text, setting=named)


def _table(listed: KeyList) -> str:
    believed = [key for key in listed.keys if key.kid not in listed.revoked]
    lines = [f"{'kid':<43}  algorithm  use"]
    for key in listed.keys:
        use = "revoked" if key not in believed else "signs" if key == believed[0] else "verifies"
        lines.append(f"{key.kid:<43}  {key.algorithm:<9}  {use}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
