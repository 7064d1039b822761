"""The states of Brazil as requests name them, in the order that features count them in."""

from __future__ import annotations

from typing import Literal, get_args

# Neighbours beside one another, along the coast from São Paulo and then inland, so that a tree needs few cuts.
State = Literal[
    "SP", "RJ", "MG", "ES", "PR", "SC", "RS", "MS", "MT", "GO", "DF", "TO", "BA", "SE",
    "AL", "PE", "PB", "RN", "CE", "PI", "MA", "PA", "AP", "AM", "RR", "RO", "AC",
]  # fmt: skip
STATES: tuple[str, ...] = get_args(State)
