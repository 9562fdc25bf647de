import numpy as np
import pytest

from agents.baselines import random
from agents.baselines.zero import ZeroPolicy
from rlplat.environments.resolve import resolve as resolve_env
from rlplat.errors import CheckpointError, RegistryError
from rlplat.evaluation.arena import draw_openings, play_match
from rlplat.evaluation.evaluate import evaluate_policy
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.trained import load_trained
from rlplat.interfaces import Continuous, Discrete
from rlplat.registry import names, resolve


@pytest.fixture(scope="module")
def tictactoe():
    return resolve("tictactoe", kind="game").load()


@pytest.fixture(scope="module")
def connect_four():
    return resolve("connect_four", kind="game").load()


@pytest.fixture(scope="module")
def connect_four_8x8():
    return resolve("connect_four", kind="game").load(rows=8, columns=8)


def policy(name, game, seed=0):
    name, _, argument = name.partition(":")
    return resolve(name, kind="baseline")(argument or None, game, seed)


def test_every_baseline_says_how_it_is_used():
    assert {"mcts", "random"} <= set(names("baseline"))
    for name in names("baseline"):
        assert resolve(name, kind="baseline").usage.startswith(name)


def test_random_plays_each_legal_action_equally_often(tictactoe):
    states = [tictactoe.state_from_moves("513")] * 6000
    chosen = np.bincount(random.RandomPolicy(3).act(states), minlength=9)
    assert chosen[[0, 2, 4]].tolist() == [0, 0, 0]
    assert np.abs(chosen[[1, 3, 5, 6, 7, 8]] - 1000).max() < 130  # 4.5 standard deviations


def test_random_against_random_gives_the_known_odds_of_tictactoe(tictactoe):
    """First player wins 58.5 %, second 28.8 % of random games."""
    match = play_match(
        tictactoe, random.RandomPolicy(1), random.RandomPolicy(2), num_games=4000, opening_plies=0, seed=0
    )
    first, second = match.score_by_side
    wins, losses = first.wins + second.losses, first.losses + second.wins
    assert wins / 4000 == pytest.approx(0.5849, abs=0.03)
    assert losses / 4000 == pytest.approx(0.2881, abs=0.03)


@pytest.mark.parametrize("name", ["random", "mcts:20"])
def test_equal_seeds_play_equally_and_others_do_not(connect_four, name):
    states = [connect_four.state_from_moves(moves) for moves in ("", "4", "44", "123", "7654")] * 4
    one, same, other = (policy(name, connect_four, seed) for seed in (5, 5, 6))
    actions = [one.act(states).tolist(), one.act(states).tolist()]
    assert actions == [same.act(states).tolist(), same.act(states).tolist()]
    assert actions[0] != actions[1]
    assert actions[0] != other.act(states).tolist()


def test_search_wins_at_once_where_it_can(connect_four, tictactoe):
    states = [connect_four.state_from_moves(moves) for moves in ("152535", "414141", "172737")]
    moves = policy("mcts:200", connect_four).act(states)
    assert moves.dtype == np.int64
    assert moves.tolist() == [3, 3, 3]
    assert policy("mcts:200", tictactoe).act([tictactoe.state_from_moves("1425")]).tolist() == [2]


def test_search_blocks_the_opponents_line(connect_four, tictactoe):
    assert policy("mcts:1000", connect_four).act([connect_four.state_from_moves("41414")]).tolist() == [3]
    assert policy("mcts:1000", tictactoe).act([tictactoe.state_from_moves("142")]).tolist() == [2]


def test_search_with_one_simulation_is_legal_in_every_position(tictactoe):
    one = policy("mcts:1", tictactoe)
    play_match(tictactoe, one, random.RandomPolicy(0), num_games=40, opening_plies=3, seed=0)


def test_more_simulations_play_better(connect_four):
    strong, weak = policy("mcts:300", connect_four, 1), policy("mcts:20", connect_four, 2)
    low, _ = play_match(connect_four, strong, weak, num_games=60, opening_plies=2, seed=0).score.interval
    assert low > 0.75


def test_search_does_not_lose_tictactoe_against_itself(tictactoe):
    one, two = policy("mcts:2000", tictactoe, 1), policy("mcts:2000", tictactoe, 2)
    match = play_match(tictactoe, one, two, num_games=10, opening_plies=0, seed=0)
    assert match.score.draws == 10


def test_alphabeta_wins_blocks_and_sees_a_double_threat(connect_four):
    states = [connect_four.state_from_moves(moves) for moves in ("152535", "41414", "3141")]
    chosen = policy("alphabeta:4", connect_four).act(states).tolist()
    assert chosen[:2] == [3, 3]
    assert chosen[2] in (1, 4)  # three open in a row, or its start, before the other side closes it
    assert policy("alphabeta:1", connect_four).act(states[:1]).tolist() == [3]


def test_alphabeta_at_depth_5_is_no_weaker_than_500_rollouts(connect_four):
    strong, other = policy("alphabeta:5", connect_four, 1), policy("mcts:500", connect_four, 2)
    low, _ = play_match(connect_four, strong, other, num_games=200, opening_plies=4, seed=0).score.interval
    assert low > 0.5


@pytest.mark.parametrize(
    "game, name, message",
    [
        ("connect_four", "alphabeta", "alphabeta needs a depth in plies, as in alphabeta:5"),
        ("connect_four", "alphabeta:x", "'alphabeta:x': alphabeta needs a depth"),
        ("connect_four", "alphabeta:0", "a depth in plies from 1 to 100"),
        ("connect_four", "solver:3", "solver takes no argument"),
        ("connect_four_8x8", "solver", "opponent 'solver': connect_four with rows=8.* has no exact scores"),
        ("connect_four", "checkpoint", "'checkpoint': checkpoint needs a run and one of latest, best or a step"),
        ("connect_four", "checkpoint:runs/a", "'checkpoint:runs/a': checkpoint needs a run and"),
        ("connect_four", "checkpoint:runs/a@5:x", "'checkpoint:runs/a@5:x': .* as in checkpoint:runs/first@best:100"),
        ("connect_four", "checkpoint:@5:10", "checkpoint needs a run and"),
        ("tictactoe", "alphabeta:3", "tictactoe has no heuristic, which alphabeta needs"),
    ],
)
def test_a_baseline_refuses_what_it_cannot_play(request, game, name, message):
    with pytest.raises(RegistryError, match=message):
        policy(name, request.getfixturevalue(game))


def test_zero_acts_with_the_middle_of_what_is_allowed():
    bounded = Continuous((2, 2), (-1.0, 0.0, -np.inf, 3.0), (1.0, 4.0, np.inf, np.inf))
    seen = {"policy": np.zeros((5, 1))}
    assert ZeroPolicy(bounded).act(seen).tolist() == [[[0, 2], [0, 3]]] * 5
    masked = {"policy": np.zeros((2, 1)), "action_mask": np.array([[1, 1, 1], [0, 0, 1]])}
    assert ZeroPolicy(Discrete(3)).act(masked).tolist() == [0, 2]


def test_of_several_choices_random_draws_what_is_allowed_and_zero_takes_the_first():
    settings = {"action": "operations", "num_rows": 2, "num_columns": 3, "num_days": 10}
    task = resolve_env("envs.farm:rlplat/GreenhouseSpacing-v0").load(**settings)
    vector = task.make_vector(2)
    observations = vector.reset([0, 1])
    random, zero = (parse_opponent(name).make_policy(task, 0) for name in ("random", "zero"))
    drawn = np.concatenate([random.act(observations) for _ in range(20)])
    assert drawn.shape == (40, 30, 2)
    assert set(drawn[..., 0].ravel()) == {6, 7}, "of an empty bench nothing can be taken"
    assert set(drawn[..., 1].ravel()) == set(range(7))
    assert (zero.act(observations) == [6, 0]).all()


def test_zero_is_for_tasks(tictactoe):
    pendulum = resolve_env("Pendulum-v1").load()
    assert parse_opponent("zero").make_policy(pendulum, 0).act({"policy": np.zeros((3, 3))}).tolist() == [[0]] * 3
    with pytest.raises(RegistryError, match="zero takes no argument"):
        parse_opponent("zero:1").make_policy(pendulum, 0)
    with pytest.raises(RegistryError, match="'zero' is for tasks; tictactoe is a game: name random or mcts:1000"):
        parse_opponent("zero").make_policy(tictactoe, 0)


def test_the_solver_plays_every_best_move_and_no_other(connect_four, tictactoe):
    corner = tictactoe.state_from_moves("1")
    assert set(policy("solver", tictactoe).act([corner] * 50).tolist()) == {4}  # only the middle draws
    states = [state for state in draw_openings(connect_four, 20, 20, 0) for _ in range(3)]
    for state, action in zip(states, policy("solver", connect_four).act(states), strict=True):
        scores = state.action_scores()
        assert action in state.legal_actions()[scores == scores.max()]
    start = tictactoe.initial_state()
    assert len(set(policy("solver", tictactoe).act([start] * 200).tolist())) == 9  # all opening moves draw


def test_the_solver_never_loses_and_openings_are_as_long_as_it_asks_for(connect_four, tictactoe):
    (row,) = evaluate_policy(tictactoe, policy("random", tictactoe), ["solver"], num_games=100, opening_plies=1, seed=0)
    assert (row.wins, row.opening_plies) == (0, 1)
    assert policy("solver", connect_four).opening_plies == 12
    (row,) = evaluate_policy(
        connect_four, policy("mcts:100", connect_four), ["solver"], num_games=4, opening_plies=2, seed=0
    )
    assert row.opening_plies == 12
    assert row.score < 0.6


def test_who_wins_an_opening_against_the_solver_is_decided_by_its_score(connect_four):
    """The solver against itself: each game ends as the score of its opening says, and after so many stones."""
    one, two = policy("solver", connect_four, 1), policy("solver", connect_four, 2)
    openings = draw_openings(connect_four, 3, 20, 5)
    for game, opening in zip(
        play_match(connect_four, one, two, num_games=6, opening_plies=20, seed=5).games[::2], openings, strict=True
    ):
        score = opening.exact_score()
        winner = opening.player if score > 0 else 1 - opening.player
        assert game.points == (0.5 if score == 0 else 1.0 if winner == 0 else 0.0)
        stones = (game.num_moves + 1) // 2 if winner == 0 else game.num_moves // 2
        assert score == 0 or 22 - stones == abs(score)


def test_a_checkpoint_plays_as_its_run_learned_to(tiny_run, tictactoe, connect_four):
    trained = load_trained(tiny_run, "latest")
    states = [tictactoe.state_from_moves(moves) for moves in ("", "1", "15", "159")]
    opponent = policy(f"checkpoint:{tiny_run}@latest", tictactoe)
    assert opponent.act(states).tolist() == trained.make_policy(num_simulations=None, seed=0).act(states).tolist()
    assert (
        policy(f"checkpoint:{tiny_run}@{trained.step}", tictactoe).act(states).tolist() == opponent.act(states).tolist()
    )
    for simulations in (0, 60):
        found = policy(f"checkpoint:{tiny_run}@latest:{simulations}", tictactoe).act(states)
        assert found.tolist() == trained.make_policy(num_simulations=simulations, seed=0).act(states).tolist()
    with pytest.raises(RegistryError, match="it plays tictactoe, this match is of connect_four with rows=6"):
        policy(f"checkpoint:{tiny_run}@latest", connect_four)
    with pytest.raises(CheckpointError, match="no checkpoint of step 7"):
        policy(f"checkpoint:{tiny_run}@7", tictactoe)
