"""Pictures of a few positions, always the same ones, with what the agent thinks of them: to see it learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat.evaluation.board_picture import Opinion, draw_position
from rlplat.evaluation.positions import STAGES, ScoredPosition
from rlplat.interfaces import Policy
from rlplat.search.analysis import Analysis
from rlplat.search.game import Game, State

NUM_RANDOM = 3
"""Positions of random games, where the game brings none with exact scores."""


def draw_samples(
    game: Game,
    make_policy: Callable[[int | None], Policy],
    positions: Sequence[ScoredPosition],
    *,
    num_simulations: int | None,
) -> dict[str, NDArray[np.uint8]]:
    """Return pictures `[H, W, 3]` by name of the start and of some later positions.

    They show the policy as heat on the board and the value, both of the network alone and after searches of
    `num_simulations` (None: as trained). The images' names sort in the order of the game.

    The later positions are the first hard one of each stage among `positions`, where the moves that keep the result are
    outlined, or else random ones. Empty for policies that cannot say what they think (see `Policy`).
    """
    network, search = make_policy(0), make_policy(num_simulations)
    if not (hasattr(network, "analyse") and hasattr(search, "analyse")):
        return {}
    samples = {"0 start": (game.initial_state(), list[int]())} | _later(game, positions)
    states = [state for state, _ in samples.values()]
    before, after = network.analyse(states), search.analyse(states)
    name = "search" if num_simulations is None else f"{num_simulations} simulations"
    return {
        title: draw_position(
            state,
            [_opinion("network alone", before, index), _opinion(f"after {name}", after, index)],
            right_actions=right,
        )
        for index, (title, (state, right)) in enumerate(samples.items())
    }


def _later(game: Game, positions: Sequence[ScoredPosition]) -> dict[str, tuple[State, list[int]]]:
    hard = [next((each for each in positions if each.stage == stage and each.is_hard()), None) for stage in STAGES]
    found = [position for position in hard if position is not None]
    if found:
        return {f"{i + 1} {each.stage}": (each.state, _right(each)) for i, each in enumerate(found)}
    return {f"{i + 1} random": (state, []) for i, state in enumerate(random_states(game, NUM_RANDOM))}


def random_states(game: Game, count: int) -> list[State]:
    """Return positions with a choice from random games, further and further on; the same ones each time."""
    rng = np.random.default_rng(0)
    found = []
    for index in range(count):
        states = [game.initial_state()]
        while not states[-1].is_terminal:
            state = states[-1].copy()
            state.apply(int(rng.choice(state.legal_actions())))
            states.append(state)
        choices = [state for state in states if not state.is_terminal and len(state.legal_actions()) > 1] or states[:1]
        found.append(choices[(index + 1) * len(choices) // (count + 1)])
    return found


def _right(position: ScoredPosition) -> list[int]:
    """The actions that keep the result of perfect play."""
    kept = np.sign(position.scores) == np.sign(position.score)
    return [int(action) for action in position.state.legal_actions()[kept]]


def _opinion(title: str, analysis: Analysis, index: int) -> Opinion:
    visits: NDArray[Any] = analysis.visit_counts[index]
    policy: NDArray[Any] = visits / visits.sum() if visits.any() else analysis.priors[index]
    return Opinion(title, policy, float(analysis.values[index]))
