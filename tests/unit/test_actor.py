"""Whoever moves an alias has a name in the ledger, even where the container's user has none."""

from __future__ import annotations

import os
from argparse import Namespace

from records.actor import actor_of

UNNAMED = Namespace(actor=None)


def nobody() -> str:
    raise KeyError("getpwuid(): uid not found")


def test_who_is_named_is_meant() -> None:
    assert actor_of(Namespace(actor="ada"), login=nobody) == "ada"


def test_otherwise_it_is_the_login_name() -> None:
    assert actor_of(UNNAMED, login=lambda: "grace") == "grace"


def test_a_user_without_a_name_acts_by_number() -> None:
    assert actor_of(UNNAMED, login=nobody) == f"user {os.getuid()}"
