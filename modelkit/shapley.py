"""Shapley values of a game whose players are taken from a row, one by one, in place of a background row's.

For each background row, players that are the same in both are dummies and are left out before anything is computed.
What is summed is a difference of the game's worths along whole paths from background to row, so contributions always add
up to worth(row) minus the mean of worth(background): exactly for `exact`, and for `by_permutations` with its error spread
over the players and not over the sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# Masks of shape (asked, players), true where the row's value is taken, and the background row of each: a worth for each.
Worth = Callable[[Bools, Places], Floats]


class Game(NamedTuple):
    """`differs` has shape (background rows, players). `full` is the row's worth, `empty` those of the background rows."""

    differs: Bools
    full: float
    empty: Floats
    worth: Worth


class Estimate(NamedTuple):
    """Per player; `error` is the standard error of each contribution, None where they are exact."""

    method: str
    contributions: Floats
    error: Floats | None


def exact_cost(differs: Bools) -> int:
    """How many worths `exact` asks for."""
    return int(sum(2 ** min(int(count), 62) for count in differs.sum(axis=1)))


def exact(game: Game) -> Estimate:
    """Every coalition of every background row."""
    groups = [np.flatnonzero(row) for row in game.differs]
    masks = [_within(_coalitions(len(players)), players, game.differs.shape[1]) for players in groups]
    worths = _asked(game, masks)
    total = np.zeros(game.differs.shape[1])
    for players, found in zip(groups, worths, strict=True):
        total[players] += _values(len(players), found)
    return Estimate("exact", total / len(groups), None)


def permutation_cost(differs: Bools) -> int:
    """How many worths one pair of permutations per background row asks for."""
    return int(2 * np.maximum(differs.sum(axis=1) - 1, 0).sum())


def by_permutations(game: Game, *, pairs: int, rng: np.random.Generator) -> Estimate:
    """`pairs` random orders of the players for each background row, each walked forth and back (antithetic).

    The background is summed over and not drawn from, so its variance is no part of the error; that is estimated within
    each background row, and needs two pairs.
    """
    if pairs < 2:
        raise ValueError("an error cannot be estimated from fewer than two pairs of permutations")
    groups = [np.flatnonzero(row) for row in game.differs]
    ranks = [
        np.argsort(rng.random((pairs, len(players))), axis=1, kind="stable").astype(np.intp)
        for players in groups
    ]
    masks = [
        _within(_walks(rank), players, game.differs.shape[1])
        for rank, players in zip(ranks, groups, strict=True)
    ]
    total, variance = np.zeros(game.differs.shape[1]), np.zeros(game.differs.shape[1])
    for place, found in enumerate(_asked(game, masks)):
        each = _steps(ranks[place], found, empty=game.empty[place], full=game.full)
        total[groups[place]] += each.mean(axis=0)
        variance[groups[place]] += each.var(axis=0, ddof=1) / pairs
    return Estimate("permutation", total / len(groups), np.sqrt(variance) / len(groups))


@cache
def _coalitions(players: int) -> Bools:
    """Coalition number c has player p where bit p of c is set."""
    coalitions: Bools = ((np.arange(2**players)[:, np.newaxis] >> np.arange(players)) & 1).astype(bool)
    return coalitions


def _values(players: int, worths: Floats) -> Floats:
    """Shapley's formula over the worths of all coalitions, in the order of `_coalitions`."""
    if players == 0:
        return np.zeros(0)
    sizes = _coalitions(players).sum(axis=1)
    weights = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    found = np.empty(players)
    for player in range(players):
        without = np.flatnonzero(~_coalitions(players)[:, player])
        gains = worths[without | (1 << player)] - worths[without]
        found[player] = weights[sizes[without]] @ gains
    return found


def _walks(rank: Places) -> Bools:
    """The coalitions on the way, ends left out: shape (pairs * 2 * (players - 1), players)."""
    pairs, players = rank.shape
    size = np.arange(1, players)[:, np.newaxis]
    forth = rank[:, np.newaxis, :] < size
    back = rank[:, np.newaxis, :] >= players - size
    return np.stack([forth, back], axis=1).reshape(pairs * 2 * max(players - 1, 0), players)


def _steps(rank: Places, found: Floats, *, empty: float, full: float) -> Floats:
    """What each player added, the mean of both ways: shape (pairs, players)."""
    pairs, players = rank.shape
    worths = np.empty((pairs, 2, players + 1))
    worths[:, :, 0], worths[:, :, -1] = empty, full
    worths[:, :, 1:-1] = found.reshape(pairs, 2, max(players - 1, 0))
    gains = np.diff(worths, axis=2)
    forth = np.take_along_axis(gains[:, 0], rank, axis=1)
    back = np.take_along_axis(gains[:, 1], players - 1 - rank, axis=1)
    both: Floats = (forth + back) / 2
    return both


def _within(masks: Bools, players: Places, width: int) -> Bools:
    """The same masks over all players of the game."""
    wide = np.zeros((len(masks), width), dtype=bool)
    wide[:, players] = masks
    return wide


def _asked(game: Game, masks: list[Bools]) -> Iterator[Floats]:
    """The worths of each background row's masks, asked for together."""
    counts = [len(each) for each in masks]
    worths = game.worth(np.concatenate(masks), np.repeat(np.arange(len(masks)), counts))
    return iter(np.split(worths, np.cumsum(counts)[:-1]))
