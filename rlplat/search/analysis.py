"""Searches given positions. Axes: B positions, A actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlplat import _core
from rlplat.errors import GameError
from rlplat.search.game import Game, State
from rlplat.search.parameters import ROLLOUT, UNIFORM, BuiltinEvaluator, Evaluator, SearchParams

__all__ = ["ROLLOUT", "UNIFORM", "Analysis", "Evaluator", "SearchParams", "analyse"]

_CACHE_BYTES = 16 << 20


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
    """`[B]`: the most visited, among equals that of the higher q_value, then the lower one; Gumbel
    search takes that of the highest score. With no simulations the one of the highest prior."""
    values: NDArray[np.float32]
    """`[B]`, mean value of the root from the view of the player to move; exact where it is proven."""
    proven: NDArray[np.bool_]
    """`[B]`, whether the search proved the result; only with `SearchParams.prove`."""
    principal_variations: list[list[int]]
    """The most visited line of each search."""


def analyse(
    game: Game,
    states: Sequence[State],
    evaluator: Evaluator | BuiltinEvaluator,
    params: SearchParams,
    *,
    seed: int,
    num_threads: int = 1,
) -> Analysis:
    """Search every state of `states`; none may be terminal (GameError).

    Each search has a generator of its own, seeded from `seed` and its place in `states`.
    """
    for state in states:
        if state.is_terminal:
            raise GameError(f"{game.name}: the game is over, there is nothing to analyse\n{state}")
    # Without a network nothing is gained by many searches at once, and one tree stays in the processor's cache.
    batch_size = num_threads if isinstance(evaluator, BuiltinEvaluator) else evaluator.batch_size
    search = _core.Analysis(
        game.core,
        params.core(),
        [state.position for state in states],
        evaluator=evaluator.value if isinstance(evaluator, BuiltinEvaluator) else "network",
        num_searches=max(1, min(batch_size, len(states))),
        num_threads=num_threads,
        cache_bytes=0 if isinstance(evaluator, BuiltinEvaluator) else _CACHE_BYTES,
        seed=seed,
    )
    observations = np.zeros((batch_size if states else 0, *game.plane_shape), np.float32)
    while not search.done:
        rows = search.select(0, observations)
        if rows:
            if isinstance(evaluator, BuiltinEvaluator):
                raise AssertionError("a built-in evaluator leaves nothing pending")
            search.backup(0, *evaluator.evaluate(observations[:rows]))
    shape = (len(states), game.num_actions)
    result = Analysis(
        np.zeros(shape, np.int32),
        np.full(shape, -1.0, np.float32),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
        np.zeros(len(states), np.int64),
        np.zeros(len(states), np.float32),
        np.zeros(len(states), np.bool_),
        [search.principal_variation(i) for i in range(len(states))],
    )
    search.write(
        visit_counts=result.visit_counts,
        q_values=result.q_values,
        priors=result.priors,
        policies=result.policies,
        best_actions=result.best_actions,
        values=result.values,
        proven=result.proven,
    )
    return result
