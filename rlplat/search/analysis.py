"""Searches given positions. Axes: B positions, A actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlplat import _core
from rlplat.errors import GameError
from rlplat.search.game import Game, State
from rlplat.search.parameters import ROLLOUT, UNIFORM, BuiltinEvaluator, Evaluator, SearchParams

__all__ = ["ROLLOUT", "UNIFORM", "Analysis", "Evaluator", "SearchParams", "analyse", "refine"]

_CACHE_BYTES = 16 << 20

FIRST_SHOWN = 16
"""Simulations after which `refine` shows first what it found."""


@dataclass(frozen=True)
class Analysis:
    """What the searches found. Illegal actions have 0 visits, priors 0 and q_values -1."""

    visit_counts: NDArray[np.int32]
    """`[B, A]`; none for actions that are proven to lose or to spoil a proven result."""
    q_values: NDArray[np.float32]
    """`[B, A]`, mean value of each action from the view of the player to move; 0 where it was not visited."""
    priors: NDArray[np.float32]
    """`[B, A]`, what the evaluator thinks of each action before any search."""
    policies: NDArray[np.float32]
    """`[B, A]`, what a policy should learn from the search: shares of the visits, or the improved policy of Gumbel
    search; the priors where nothing was visited."""
    best_actions: NDArray[np.int64]
    """`[B]`: the most visited, among equals that of the higher q_value, then the lower one; with `lcb_deviations`
    that of the highest confidence bound; Gumbel search takes that of the highest score. With no simulations the one of
    the highest prior."""
    values: NDArray[np.float32]
    """`[B]`, mean value of the root from the view of the player to move; exact where it is proven."""
    proven: NDArray[np.bool_]
    """`[B]`, whether the search proved the result; only with `SearchParams.prove`."""
    principal_variations: list[list[int]]
    """The most visited line of each search."""
    num_simulations: int
    """Of all searches together; proofs end a search before it has made all of them."""


def analyse(
    game: Game,
    states: Sequence[State],
    evaluator: Evaluator | BuiltinEvaluator,
    params: SearchParams,
    *,
    seed: int,
    num_threads: int = 1,
    leaves_per_search: int = 1,
) -> Analysis:
    """Search every state of `states`; none may be terminal (GameError).

    Each search has a generator of its own, seeded from `seed` and its place in `states`. With `leaves_per_search` above
    1 so many leaves of a tree are evaluated at once where searches are too few to fill a batch: faster, and a little
    weaker for the same number of simulations (csrc/search/tree.hpp names the sources).
    """
    search = _Searches(game, states, evaluator, params, seed, num_threads, leaves_per_search)
    while not search.core.done:
        search.step()
    return search.results()


def refine(
    game: Game,
    state: State,
    evaluator: Evaluator | BuiltinEvaluator,
    params: SearchParams,
    *,
    seed: int,
    until: Callable[[], bool],
    leaves_per_search: int = 1,
) -> Iterator[Analysis]:
    """Search one state until `until()` is true, which is asked after every batch, or the simulations are made.

    Yields what is found whenever there are twice the simulations of last time, and in the end; only the root is
    evaluated whatever `until` says.
    """
    search = _Searches(game, [state], evaluator, params, seed, 1, leaves_per_search)
    shown = FIRST_SHOWN // 2
    while not search.core.done:
        search.step()
        if until():
            search.core.stop()
        elif not search.core.done and search.core.counters()["simulations"] >= 2 * shown:
            shown = search.core.counters()["simulations"]
            search.core.note()
            yield search.results()
    yield search.results()


class _Searches:
    """Searches of states on their way."""

    def __init__(
        self,
        game: Game,
        states: Sequence[State],
        evaluator: Evaluator | BuiltinEvaluator,
        params: SearchParams,
        seed: int,
        num_threads: int,
        leaves_per_search: int,
    ) -> None:
        for state in states:
            if state.is_terminal:
                raise GameError(f"{game.name}: the game is over, there is nothing to analyse\n{state}")
        # Without a network nothing is gained by many searches at once, and one tree stays in the processor's cache.
        batch_size = num_threads if isinstance(evaluator, BuiltinEvaluator) else evaluator.batch_size
        num_searches = max(1, min(batch_size, len(states)))
        self._evaluator, self._num_states, self._num_actions = evaluator, len(states), game.num_actions
        self.core = _core.Analysis(
            game.core,
            params.core(),
            [state.position for state in states],
            evaluator=evaluator.value if isinstance(evaluator, BuiltinEvaluator) else "network",
            num_searches=num_searches,
            num_threads=num_threads,
            cache_bytes=0 if isinstance(evaluator, BuiltinEvaluator) else _CACHE_BYTES,
            leaves_per_search=max(1, min(leaves_per_search, batch_size // num_searches)),
            seed=seed,
        )
        self._observations = np.zeros((batch_size if states else 0, *game.plane_shape), np.float32)

    def step(self) -> None:
        """Search until the network is needed, and evaluate."""
        rows = self.core.select(0, self._observations)
        if rows:
            if isinstance(self._evaluator, BuiltinEvaluator):
                raise AssertionError("a built-in evaluator leaves nothing pending")
            self.core.backup(0, *self._evaluator.evaluate(self._observations[:rows]))

    def results(self) -> Analysis:
        shape = (self._num_states, self._num_actions)
        result = Analysis(
            visit_counts=np.zeros(shape, np.int32),
            q_values=np.full(shape, -1.0, np.float32),
            priors=np.zeros(shape, np.float32),
            policies=np.zeros(shape, np.float32),
            best_actions=np.zeros(self._num_states, np.int64),
            values=np.zeros(self._num_states, np.float32),
            proven=np.zeros(self._num_states, np.bool_),
            principal_variations=[self.core.principal_variation(i) for i in range(self._num_states)],
            num_simulations=self.core.counters()["simulations"],
        )
        self.core.write(
            visit_counts=result.visit_counts,
            q_values=result.q_values,
            priors=result.priors,
            policies=result.policies,
            best_actions=result.best_actions,
            values=result.values,
            proven=result.proven,
        )
        return result
