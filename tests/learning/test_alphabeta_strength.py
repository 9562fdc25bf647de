"""The baseline `alphabeta:5`, whose heuristic of Connect Four sees five plies ahead, is stronger than `mcts:500`."""

import pytest

from rlplat import registry
from rlplat.evaluation.arena import play_match
from rlplat.evaluation.opponents import parse_opponent


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_alphabeta_5_scores_at_least_half_against_mcts_500() -> None:
    game = registry.resolve("connect_four", kind="game").load()
    ours, theirs = (parse_opponent(name).make_policy(game, 1) for name in ("alphabeta:5", "mcts:500"))
    score = play_match(game, ours, theirs, num_games=400, opening_plies=2, seed=0).score
    low, high = score.interval
    print(f"{score.wins} won, {score.draws} drawn, {score.losses} lost: {score.score:.3f} [{low:.3f}, {high:.3f}]")
    assert low >= 0.5
