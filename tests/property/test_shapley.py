"""What makes contributions Shapley values, on games that hypothesis makes up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelkit.shapley import Game, by_permutations, exact, exact_cost, permutation_cost

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

numbers = st.floats(-10, 10, width=32)
PLAYERS = 4


def game_of(function: Function, row: Floats, background: Floats) -> Game:
    return Game(
        differs=background != row,
        full=float(function(row[np.newaxis])[0]),
        empty=function(background),
        worth=lambda masks, places: function(np.where(masks, row, background[places])),
    )


def rough(weights: Floats) -> Function:
    """Products of players and a kink: nothing that is linear."""
    return lambda rows: rows @ weights + rows[:, 0] * rows[:, -1] + np.maximum(rows[:, 1], rows[:, 2])


@st.composite
def games(draw: st.DrawFn) -> Game:
    row = np.array(draw(st.lists(numbers, min_size=PLAYERS, max_size=PLAYERS)))
    rows = draw(st.lists(st.lists(numbers, min_size=PLAYERS, max_size=PLAYERS), min_size=1, max_size=4))
    weights = np.array(draw(st.lists(numbers, min_size=PLAYERS, max_size=PLAYERS)))
    return game_of(rough(weights), row, np.array(rows))


def by_definition(game: Game) -> Floats:
    """The mean over every order of the players, background row by background row."""
    background, players = game.differs.shape
    total = np.zeros(players)
    for place, order in itertools.product(range(background), itertools.permutations(range(players))):
        mask, before = np.zeros((1, players), dtype=bool), game.empty[place]
        for player in order:
            mask[0, player] = True
            after = game.worth(mask, np.array([place]))[0]
            total[player] += after - before
            before = after
    return total / (background * math.factorial(players))


@given(game=games())
@settings(max_examples=60, deadline=None)
def test_exact_contributions_are_the_mean_over_all_orders(game: Game) -> None:
    assert exact(game).contributions == pytest.approx(by_definition(game), abs=1e-9)


@given(game=games(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_contributions_add_up_however_they_are_found(game: Game, seed: int) -> None:
    gap = game.full - game.empty.mean()
    assert exact(game).contributions.sum() == pytest.approx(gap, abs=1e-9)
    found = by_permutations(game, pairs=2, rng=np.random.default_rng(seed))
    assert found.contributions.sum() == pytest.approx(gap, abs=1e-9)


@given(row=st.lists(numbers, min_size=3, max_size=3), other=numbers, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_player_that_changes_nothing_contributes_nothing(row: list[float], other: float, seed: int) -> None:
    def function(rows: Floats) -> Floats:
        return np.asarray(rows[:, 0] * rows[:, 1])

    game = game_of(function, np.array(row), np.array([[0.5, 2.0, other]]))
    found = by_permutations(game, pairs=2, rng=np.random.default_rng(seed))
    assert (exact(game).contributions[2], found.contributions[2]) == (0.0, 0.0)


@given(value=numbers, other=numbers, rest=numbers)
@settings(max_examples=60, deadline=None)
def test_players_that_do_the_same_contribute_the_same(value: float, other: float, rest: float) -> None:
    game = game_of(
        lambda rows: np.maximum(rows[:, 0] + rows[:, 1], rows[:, 2]),
        np.array([value, value, rest]),
        np.array([[other, other, 1.0]]),
    )
    found = exact(game).contributions
    assert found[0] == pytest.approx(found[1], abs=1e-9)


@given(game=games(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_the_cost_is_what_is_asked(game: Game, seed: int) -> None:
    asked: list[int] = []

    def counted(masks: NDArray[np.bool_], places: NDArray[np.intp]) -> Floats:
        asked.append(len(masks))
        return game.worth(masks, places)

    exact(game._replace(worth=counted))
    by_permutations(game._replace(worth=counted), pairs=3, rng=np.random.default_rng(seed))
    assert asked == [exact_cost(game.differs), 3 * permutation_cost(game.differs)]


def test_a_background_that_is_the_row_explains_nothing() -> None:
    row = np.array([1.0, 2.0, 3.0])
    game = game_of(rough(np.ones(3)), row, np.stack([row, row]))
    for found in (exact(game), by_permutations(game, pairs=2, rng=np.random.default_rng(0))):
        assert found.contributions.tolist() == [0.0, 0.0, 0.0]


def test_one_pair_of_permutations_is_refused_as_it_knows_no_error() -> None:
    game = game_of(rough(np.ones(3)), np.ones(3), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="two pairs"):
        by_permutations(game, pairs=1, rng=np.random.default_rng(0))


def test_the_standard_error_is_as_large_as_the_error() -> None:
    """1,000 estimates of one game: z-scores have variance one, and two standard errors hold 95 % of the truth."""
    rng = np.random.default_rng(34)
    row, background = rng.normal(size=6), rng.normal(size=(16, 6))
    weights = rng.normal(size=(6, 6))

    def function(rows: Floats) -> Floats:
        """Triples of players: antithetic pairs are exact for what is less entangled."""
        return np.asarray(np.tanh(rows @ weights).prod(axis=1) + np.abs(rows).max(axis=1))

    game = game_of(function, row, background)
    truth = exact(game).contributions
    drawn = [by_permutations(game, pairs=4, rng=np.random.default_rng(seed)) for seed in range(1000)]
    errors = np.stack([each.contributions - truth for each in drawn])
    claimed = np.stack([each.error for each in drawn if each.error is not None])
    assert np.abs(errors.mean(axis=0)).max() < 4 * claimed.mean(axis=0).max() / np.sqrt(len(drawn))
    assert (errors.var(axis=0) / (claimed**2).mean(axis=0)) == pytest.approx(np.ones(6), abs=0.2)
    assert (np.abs(errors) <= 2 * claimed).mean() == pytest.approx(0.95, abs=0.02)
