"""What a game knows of its positions beyond the rules: heuristic and exact scores, for games that have them.

Each check takes a sample of random games and returns what is wrong, in words, with the moves that show it, or None.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rlplat.testing.sample import Sample, where

if TYPE_CHECKING:
    from rlplat.search.game import State

NUM_LAST = 4
"""Last positions of each game that are looked at closely: the nearer the end, the quicker are exact scores found."""

NUM_MIRRORED_GAMES = 10
"""Games that are looked at under every symmetry."""

NUM_ROLLOUTS = 20
"""Random games that say how good a position is."""

CONTRARY = 0.2
"""Correlation with the results of random games, the other way, at which a heuristic is blamed. Those of Connect Four
and of lines in tic-tac-toe correlate by 0.3 to 0.7."""


def check_heuristic(sample: Sample) -> str | None:
    """It lies in [-1, 1], depends on the position alone, knows no left from right, and is the mover's view."""
    if not sample.game.has_heuristic:
        return None
    for state in sample.positions():
        if state.is_terminal:
            continue
        value = state.heuristic()
        if not (math.isfinite(value) and -1.0 <= value <= 1.0):
            return f"the heuristic {where(state)} is {value}; it must lie in [-1, 1]"
        if state.copy().heuristic() != value:
            return f"the heuristic {where(state)} is {value}, and {state.copy().heuristic()} when asked again"
    for state, mirrored in _mirrored(sample):
        if not state.is_terminal and not math.isclose(state.heuristic(), mirrored.heuristic(), abs_tol=1e-5):
            return (
                f"the heuristic is {state.heuristic()} {where(state)}, and {mirrored.heuristic()} in its mirror image, "
                f"{where(mirrored)}"
            )
    return _check_view(sample)


def _check_view(sample: Sample) -> str | None:
    """For each player, positions in which random games go well for it must not look worse than the others.

    A heuristic from the view of player 0, or of the one who moved last, fails that for one player or both.
    """
    for player, sign in ((0, 1), (1, -1)):
        states = [state for state in sample.some_positions() if state.player == player and not state.is_terminal]
        values = [state.heuristic() for state in states]
        seeds = range(sample.seed, sample.seed + NUM_ROLLOUTS)
        results = [sign * float(np.mean([state.position.rollout(seed) for seed in seeds])) for state in states]
        if len(states) < 2 or np.ptp(values) == 0 or np.ptp(results) == 0:
            continue
        correlation = float(np.corrcoef(values, results)[0, 1])
        if correlation < -CONTRARY:
            return (
                f"with player {player} to move the heuristic runs against the results of random games: correlation "
                f"{correlation:.2f} over {len(states)} positions; it must be from the view of the player to move"
            )
    return None


def check_exact_score(sample: Sample) -> str | None:
    """At the end it has the sign of the result; before, it is the best of the next positions', seen from here."""
    if sample.game.exact_score_from is None:
        return None
    for state in sorted(_late(sample), key=lambda state: not state.is_terminal):
        score = state.exact_score()
        if state.is_terminal:
            result = float(state.returns[state.player])
            if np.sign(score) != np.sign(result):
                return (
                    f"the exact score {where(state)} is {score}, but the player to move there, {state.player}, has the "
                    f"return {result}; the signs must agree"
                )
            continue
        scores = state.action_scores().tolist()
        if score != max(scores):
            return (
                f"the exact score {where(state)} is {score}, but the legal actions lead to {scores} from the same "
                "player's view; it must be the best of them"
            )
    for state, mirrored in _mirrored(sample):
        if _is_solved(state) and state.exact_score() != mirrored.exact_score():
            return (
                f"the exact score is {state.exact_score()} {where(state)}, and {mirrored.exact_score()} in its mirror "
                f"image, {where(mirrored)}"
            )
    return None


def _is_solved(state: State) -> bool:
    """Whether the game promises an exact score of the position within seconds."""
    first = state.game.exact_score_from
    return first is not None and (state.num_moves >= first or state.is_terminal)


def _late(sample: Sample) -> Iterator[State]:
    for states in sample.games:
        yield from filter(_is_solved, states[-NUM_LAST:])


def _mirrored(sample: Sample) -> Iterator[tuple[State, State]]:
    """Yield the last positions of some games with their image under every symmetry."""
    game = sample.game
    for k in range(1, game.num_symmetries):
        image = np.argsort(game.symmetry(k)[1])  # the policy's entry for action a moves to image[a]
        for states in sample.games[:NUM_MIRRORED_GAMES]:
            for state in states[-NUM_LAST:]:
                yield state, game.state_from_moves([int(image[action]) for action in state.actions])
