"""Kinds of arguments that several commands take, refused with words when they make no sense."""

from __future__ import annotations

import argparse


def at_least_one(text: str) -> int:
    """A count of things to do."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number of 1 or more is wanted, not {text}")
    return number
