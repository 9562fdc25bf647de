"""Hex, Othello, Go, chess, Gomoku and Breakthrough are learned by self-play, each by its configuration."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from conftest import ROOT, rlplat

from rlplat.evaluation.arena import draw_openings, play_on
from rlplat.evaluation.evaluate import Evaluation, evaluate_run
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.statistics import score_interval
from rlplat.evaluation.trained import load_trained
from rlplat.search.game import Game, State

NUM_WON = 500
"""Positions of Hex that are won for the player to move."""


def trained(config: str, folder: Path) -> Path:
    """The run of a configuration, without its last evaluation."""
    run = folder / config
    options = ("--run-dir", run, "-o", "evaluation.final_num_games=0")
    result = rlplat("train", ROOT / "configs" / f"{config}.yaml", *options, timeout=9000)
    assert result.returncode == 0, result.stderr
    return run


def evaluated(run: Path, *against: str, num_simulations: int, num_games: int = 400) -> dict[str, Evaluation]:
    found = evaluate_run(run, against=against, num_games=num_games, num_simulations=num_simulations, seed=1)
    for each in found:
        print(
            f"{each.opponent}, {num_simulations} simulations: {each.wins}-{each.draws}-{each.losses}, "
            f"{each.score:.3f} [{each.score_low:.3f}, {each.score_high:.3f}]"
        )
    return {each.opponent: each for each in found}


def won_positions(game: Game, num_positions: int) -> list[State]:
    """Different positions of 2 to 12 random moves that perfect play wins for the player to move."""
    found: dict[int, State] = {}
    for seed in itertools.count():
        for plies in range(2, 13):
            states = draw_openings(game, 10, plies, seed)
            found |= {state.evaluation_key: state for state in states if state.exact_score() > 0}
        if len(found) >= num_positions:
            return list(found.values())[:num_positions]
    raise AssertionError("there is no end to seeds")


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_hex_5x5_wins_against_the_solver_what_can_be_won(tmp_path: Path) -> None:
    run = trained("hex_5", tmp_path)
    agent = load_trained(run, "latest")
    policy = agent.make_policy(num_simulations=100, seed=0)
    start = agent.game.initial_state()
    first_move = policy.act([start]).item()
    assert start.action_scores()[start.legal_actions() == first_move].item() > 0
    positions = won_positions(agent.game, NUM_WON)
    solver = parse_opponent("solver").make_policy(agent.game, 0)
    games = play_on(positions, [state.player for state in positions], policy, solver)
    won = sum(game.points == 1 for game in games)
    low, high = score_interval((0.0, 1.0), (NUM_WON - won, won))
    print(f"won {won} of {NUM_WON} positions [{low:.3f}, {high:.3f}]")
    assert low >= 0.95


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(2 * 3600)
@pytest.mark.parametrize(
    ("config", "least"), [("othello_6x6", 0.75), ("go_5", 0.65), ("gomoku_9", 0.65), ("breakthrough", 0.65)]
)
def test_mcts_1000_is_beaten(config: str, least: float, tmp_path: Path) -> None:
    found = evaluated(trained(config, tmp_path), "mcts:1000", num_simulations=100)
    assert found["mcts:1000"].score_low >= least


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_go_9x9_is_stronger_than_random_play_and_shows_where_it_stands(tmp_path: Path) -> None:
    run = trained("go_9", tmp_path)
    evaluated(run, "gtp:gnugo:level=1", num_simulations=400)
    assert evaluated(run, "mcts:1000", num_simulations=100)["mcts:1000"].score_low >= 0.75


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_chess_is_stronger_than_random_play_and_shows_where_it_stands(tmp_path: Path) -> None:
    found = evaluated(trained("chess", tmp_path), "random", "alphabeta:3", num_simulations=400)
    assert found["random"].score_low >= 0.75
