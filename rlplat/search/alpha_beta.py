"""Searches given positions to a fixed depth with the game's heuristic. Axes: B positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlplat import _core
from rlplat.errors import GameError
from rlplat.search.game import Game, State

MAX_DEPTH = 100

WIN = 1000.0
"""A win n plies ahead has the value WIN - n, a loss the negative; anything else is a heuristic in [-1, 1]."""


def alpha_beta(
    game: Game, states: Sequence[State], *, depth: int, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Best action and value of each state, int64 `[B]` and float32 `[B]`, from the view of the player to move.

    The value is that of a full-width search of `depth` plies with `State.heuristic` at the leaves. The seed chooses
    among equal actions. GameError for a game without a heuristic, a depth out of range, and a finished game.
    """
    if not game.has_heuristic:
        raise GameError(f"{game.name} has no heuristic, which alpha-beta needs; its header may define heuristic(state)")
    if not 1 <= depth <= MAX_DEPTH:
        raise GameError(f"alpha-beta was asked for depth {depth}; it must lie in 1 .. {MAX_DEPTH}")
    for state in states:
        if state.is_terminal:
            raise GameError(f"{game.name}: the game is over, there is nothing to search\n{state}")
    actions, values = np.empty(len(states), np.int64), np.empty(len(states), np.float32)
    positions = [state.position for state in states]
    _core.alpha_beta(game.core, positions, depth=depth, seed=seed, actions=actions, values=values)
    return actions, values
