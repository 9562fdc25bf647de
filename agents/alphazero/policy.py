"""The policy: searches a batch of positions and plays the best move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.inference import NetworkEvaluator
from agents.alphazero.search_params import play_params
from rlplat.search.analysis import Analysis, analyse, refine
from rlplat.search.game import Game, State
from rlplat.search.parameters import SearchParams

BATCH_SIZE = 64


class AlphaZeroPolicy:
    """Fulfils `rlplat.interfaces.Policy`, without noise and temperature.

    Args:
        num_simulations: per move; 0: the network alone, its highest prior.
        seed: kept for the interface; nothing here is random.
    """

    def __init__(
        self,
        config: AlphaZeroConfig,
        game: Game,
        evaluator: NetworkEvaluator,
        *,
        num_simulations: int | None,
        seed: int,
    ) -> None:
        self._game, self._evaluator, self._seed = game, evaluator, seed
        self._params = play_params(config.search, num_simulations, lcb_deviations=config.play.lcb_deviations)
        self._leaves_per_search = config.play.leaves_per_search

    def analyse(self, states: Sequence[State], num_simulations: int | None = None) -> Analysis:
        """Search every state, with another number of simulations if one is given; see `rlplat.search.analysis`."""
        params, leaves = self._with(num_simulations), self._leaves_per_search
        return analyse(self._game, states, self._evaluator, params, seed=self._seed, leaves_per_search=leaves)

    def refine(self, state: State, num_simulations: int | None, until: Callable[[], bool]) -> Iterator[Analysis]:
        """The same for one state, until `until()` at the longest; see `rlplat.search.analysis.refine`."""
        params, leaves = self._with(num_simulations), self._leaves_per_search
        return refine(
            self._game, state, self._evaluator, params, seed=self._seed, until=until, leaves_per_search=leaves
        )

    def _with(self, num_simulations: int | None) -> SearchParams:
        return self._params if num_simulations is None else replace(self._params, num_simulations=num_simulations)

    def act(self, states: Sequence[State]) -> NDArray[np.int64]:
        """The best action of each state, int64 `[B]`."""
        return self.analyse(states).best_actions
