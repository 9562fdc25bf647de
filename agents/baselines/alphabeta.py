"""Alpha-beta search with the game's heuristic: `alphabeta:5` looks five plies ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.baselines.argument import whole_number
from rlplat.errors import RegistryError
from rlplat.search.alpha_beta import MAX_DEPTH, alpha_beta

if TYPE_CHECKING:
    from rlplat.search.game import Game, State


class AlphaBetaPolicy:
    """The best action of a full-width search; equal ones by chance."""

    def __init__(self, game: Game, depth: int, seed: int) -> None:
        self.name = f"alphabeta:{depth}"
        self._game, self._depth = game, depth
        self._rng = np.random.default_rng(seed)

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        """Search each state from scratch: int64 `[B]`."""
        return alpha_beta(self._game, states, depth=self._depth, seed=int(self._rng.integers(2**63)))[0]


class AlphaBetaBaseline:
    """Makes the policies named `alphabeta:D`."""

    usage = "alphabeta:D: alpha-beta search D plies deep with the game's heuristic (alphabeta:5)"

    def __call__(self, argument: str | None, game: Game, seed: int) -> AlphaBetaPolicy:
        """Build the policy; the argument is the depth in plies."""
        depth = whole_number("alphabeta", argument, what="a depth in plies", example=5, most=MAX_DEPTH)
        if not game.has_heuristic:
            raise RegistryError(
                f"opponent 'alphabeta:{depth}': {game.name} has no heuristic, which alphabeta needs; "
                "take mcts:1000 instead"
            )
        return AlphaBetaPolicy(game, depth, seed)


BASELINE = AlphaBetaBaseline()
