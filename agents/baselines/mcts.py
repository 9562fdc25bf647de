"""Monte-Carlo tree search without a network: `mcts:1000` makes 1000 simulations a move, valued by random rollouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.baselines.argument import whole_number
from rlplat.search.analysis import ROLLOUT, SearchParams, analyse

if TYPE_CHECKING:
    from rlplat.search.game import Game, State

C_INIT = 3.0
"""Exploration constant. Unvisited actions count as won, so that each is tried once before any twice, as in UCT.

Chosen by matches of 1000 simulations a move in Connect Four against OpenSpiel's MCTSBot with UCT's c = sqrt(2):
3 scored 0.508 +- 0.043 (500 games); 1.5, 2 and 5 scored 0.40, 0.46 and 0.47 (+- 0.06, 300 games each).
"""

MAX_SIMULATIONS = 10_000_000


class MctsPolicy:
    """The most visited action of a search with uniform priors, random rollouts and no root noise."""

    def __init__(self, game: Game, num_simulations: int, seed: int) -> None:
        self.name = f"mcts:{num_simulations}"
        self._game = game
        self._params = SearchParams(num_simulations=num_simulations, c_init=C_INIT, fpu="constant", fpu_value=1.0)
        self._rng = np.random.default_rng(seed)

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        """Search each state from scratch: int64 `[B]`. Ties go to the higher value, then to the lower action."""
        seed = int(self._rng.integers(2**63))
        return analyse(self._game, states, ROLLOUT, self._params, seed=seed).best_actions


class MctsBaseline:
    """Makes the policies named `mcts:N`."""

    usage = "mcts:N: tree search with random rollouts, N simulations a move (mcts:1000)"

    def __call__(self, argument: str | None, game: Game, seed: int) -> MctsPolicy:
        """Build the policy; the argument is the number of simulations."""
        simulations = whole_number("mcts", argument, what="a number of simulations", example=1000, most=MAX_SIMULATIONS)
        return MctsPolicy(game, simulations, seed)


BASELINE = MctsBaseline()
