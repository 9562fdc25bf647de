"""The perfect opponent: `solver` plays a move of the best exact score, from openings as long as it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat.errors import GameError, RegistryError

if TYPE_CHECKING:
    from rlplat.search.game import Game, State


class SolverPolicy:
    """An action of the highest exact score, equal ones by chance: the fastest win or the longest resistance."""

    name = "solver"

    def __init__(self, game: Game, opening_plies: int, seed: int) -> None:
        self.opening_plies = opening_plies
        """Matches begin after at least so many random moves, as positions before take too long to solve."""
        self._rng = np.random.default_rng(seed)

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        """Solve each state: int64 `[B]`."""
        chosen = []
        for state in states:
            scores = state.action_scores()
            chosen.append(self._rng.choice(state.legal_actions()[scores == scores.max()]))
        return np.array(chosen, dtype=np.int64)


class SolverBaseline:
    """Makes the policy named `solver`."""

    usage = "solver: perfect play, for games with exact scores; openings are as long as it needs (Connect Four: 12)"

    def __call__(self, argument: str | None, game: Game, seed: int) -> SolverPolicy:
        """Build the policy; it takes no argument."""
        if argument is not None:
            raise RegistryError(f"opponent 'solver:{argument}': solver takes no argument; write 'solver'")
        try:
            game.check_exact_score()
        except GameError as error:
            raise RegistryError(f"opponent 'solver': {error}") from error
        assert game.exact_score_from is not None
        return SolverPolicy(game, game.exact_score_from, seed)


BASELINE = SolverBaseline()
