"""The baseline `mcts:1000` is as strong as open_spiel's C++ MCTSBot(1000), if that is there (pip install it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rlplat import registry
from rlplat.evaluation.arena import play_match
from rlplat.evaluation.opponents import parse_opponent
from rlplat.search.game import State


class MCTSBot:
    """open_spiel's UCT with exploration sqrt(2), one random rollout a leaf, and its solver on."""

    name = "open_spiel MCTSBot(1000)"

    def __init__(self, pyspiel: Any, num_simulations: int, seed: int) -> None:
        self._game = pyspiel.load_game("connect_four")
        evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
        self._bot = pyspiel.MCTSBot(self._game, evaluator, 2**0.5, num_simulations, 200, True, seed, False)

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        actions = []
        for state in states:
            position = self._game.new_initial_state()
            for action in state.actions:
                position.apply_action(action)
            self._bot.restart()
            actions.append(self._bot.step(position))
        return np.array(actions, np.int64)


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_mcts_1000_scores_about_half_against_open_spiel() -> None:
    pyspiel = pytest.importorskip("pyspiel", reason="open_spiel is not installed")
    game = registry.resolve("connect_four", kind="game").load()
    ours = parse_opponent("mcts:1000").make_policy(game, 101)
    match = play_match(game, ours, MCTSBot(pyspiel, 1000, seed=102), num_games=400, opening_plies=2, seed=103)
    score = match.score
    low, high = score.interval
    print(f"{score.wins} won, {score.draws} drawn, {score.losses} lost: {score.score:.3f} [{low:.3f}, {high:.3f}]")
    assert 0.45 <= score.score <= 0.55
