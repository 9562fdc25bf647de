"""Results that follow from finished games: `SearchParams.prove`, held against brute force."""

import zlib
from functools import cache

import numpy as np
import pytest
from networks import HashNetwork

from envs.games.connect_four import connect_four
from envs.games.othello import othello
from envs.games.tictactoe import tictactoe
from rlplat.evaluation.positions import own_positions
from rlplat.search.analysis import ROLLOUT, UNIFORM, SearchParams, analyse
from rlplat.search.self_play import SelfPlay, SelfPlayParams

CONNECT_FOUR = connect_four.load()
TICTACTOE = tictactoe.load()
EVALUATORS = {"network": HashNetwork(7), "uniform": UNIFORM, "rollout": ROLLOUT}


def search(game, line, num_simulations, kind="uniform", *, prove=True):
    params = SearchParams(num_simulations=num_simulations, prove=prove)
    return analyse(game, [game.state_from_moves(line)], EVALUATORS[kind], params, seed=1)


@cache
def minimax(moves):
    """Value of a position of tic-tac-toe for the player to move, and its best actions."""
    state = TICTACTOE.state_from_moves(list(moves))
    if state.is_terminal:
        return float(state.returns[state.player]), ()
    values = {}
    for action in map(int, state.legal_actions()):
        values[action] = -minimax((*moves, action))[0]
    best = max(values.values())
    return best, tuple(action for action, value in values.items() if value == best)


@pytest.mark.parametrize("kind", EVALUATORS)
def test_a_win_at_hand_is_proven_and_played(kind):
    found = search(CONNECT_FOUR, "112233", 40, kind)
    assert found.proven[0]
    assert found.values[0] == 1
    assert np.flatnonzero(found.visit_counts[0]).tolist() == [3]
    assert found.best_actions[0] == 3
    assert found.visit_counts.sum() < 40, "the search ends with the proof"


@pytest.mark.parametrize("kind", EVALUATORS)
def test_all_counts_go_to_the_only_move_that_does_not_lose_at_once(kind):
    found = search(CONNECT_FOUR, "15253", 3000, kind)  # three in a row with one end open
    assert np.flatnonzero(found.visit_counts[0]).tolist() == [3]
    assert not found.proven[0]


@pytest.mark.parametrize("kind", EVALUATORS)
def test_two_threats_at_once_are_a_proven_loss(kind):
    found = search(CONNECT_FOUR, "41516", 300, kind)  # three in a row with both ends open
    assert found.proven[0]
    assert found.values[0] == -1
    assert (found.q_values == -1).all()
    assert found.visit_counts[0].all()


class Witness(HashNetwork):
    """Keeps what it is asked to evaluate."""

    def __init__(self):
        super().__init__(7)
        self.seen = []

    def evaluate(self, observations):
        self.seen.extend(observations.copy())
        return super().evaluate(observations)


def wins_at_once(planes):
    """Whether the player to move, whose stones are plane 0, has a move that makes four in a row."""
    own, taken = planes[0] > 0, (planes[0] > 0) | (planes[1] > 0)
    for column in range(7):
        empty = np.flatnonzero(~taken[:, column])
        if len(empty) == 0:
            continue
        row = empty[-1]  # row 0 is the top
        after = own.copy()
        after[row, column] = True
        if any(
            all(
                0 <= row + k * dy < 6 and 0 <= column + k * dx < 7 and after[row + k * dy, column + k * dx]
                for k in range(start, start + 4)
            )
            for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1))
            for start in range(-3, 1)
        ):
            return True
    return False


def test_no_leaf_with_a_win_at_hand_is_evaluated():
    lines = ["4453", "12345", "334455", "1122335"]
    states = [CONNECT_FOUR.state_from_moves(line) for line in lines]
    for prove in (True, False):
        witness = Witness()
        analyse(CONNECT_FOUR, states, witness, SearchParams(num_simulations=200, prove=prove), seed=1)
        roots = {state.planes().tobytes() for state in states}
        found = sum(wins_at_once(planes) for planes in witness.seen if planes.tobytes() not in roots)
        assert (found == 0) == prove, found


@pytest.mark.parametrize("plies", [4, 5, 6, 7])
def test_proven_values_and_moves_of_tictactoe_are_those_of_brute_force(plies):
    rng = np.random.default_rng(plies)
    for _ in range(30):
        state = TICTACTOE.initial_state()
        while state.num_moves < plies and not state.is_terminal:
            state.apply(int(rng.choice(state.legal_actions())))
        if state.is_terminal:
            continue
        found = analyse(TICTACTOE, [state], UNIFORM, SearchParams(num_simulations=4000, prove=True), seed=1)
        value, best = minimax(tuple(state.actions))
        assert found.proven[0]
        assert found.values[0] == value
        assert found.best_actions[0] in best
        assert set(np.flatnonzero(found.visit_counts[0]).tolist()) <= set(best)


def test_the_last_moves_of_connect_four_are_proven_without_knowledge_draws_included():
    late = [position for position in own_positions(CONNECT_FOUR) if position.state.num_moves >= 34]
    results = {int(np.sign(position.score)) for position in late}
    assert (len(late), results) == (28, {-1, 0, 1})
    params = SearchParams(num_simulations=1000, prove=True)
    found = analyse(CONNECT_FOUR, [position.state for position in late], UNIFORM, params, seed=1)
    assert found.proven.all()
    assert found.values.tolist() == [np.sign(position.score) for position in late]
    for position, action in zip(late, found.best_actions, strict=True):
        assert np.sign(position.score_of(int(action))) == np.sign(position.score)
    assert found.visit_counts.sum() < 1600, "positions that are met by several ways are proven once"


class Pessimist(HashNetwork):
    """Believes in column 6, and that whoever moved before stands badly."""

    def evaluate(self, observations):
        logits, values = super().evaluate(observations)
        logits[:] = np.eye(7)[5] * 5
        values[:] = 0.9
        return logits, values


def test_a_known_draw_takes_no_simulations_from_what_may_be_better():
    state = CONNECT_FOUR.state_from_moves("761771371763241363342257254566535511")  # column 6 draws, column 2 wins
    params = SearchParams(num_simulations=100, prove=True)
    found = analyse(CONNECT_FOUR, [state], Pessimist(7), params, seed=1)
    assert found.proven[0]
    assert found.values[0] == 1
    assert np.flatnonzero(found.visit_counts[0]).tolist() == [1]


class Sure:
    """A network that is certain of its moves, whatever they are, and of the first player's win."""

    batch_size = 64

    def evaluate(self, observations):
        rngs = (np.random.default_rng(zlib.crc32(each.tobytes())) for each in observations)
        logits = np.stack([rng.normal(0, 4, 17) for rng in rngs]).astype(np.float32)
        return logits, np.where(observations.sum((1, 2, 3)) % 2 == 0, 0.995, -0.995).astype(np.float32)


def test_a_proven_win_keeps_its_counts_though_its_visits_were_forced():
    state = othello.load(size=4).state_from_moves("b1 c1 d1 a1")
    params = SearchParams(num_simulations=60, prove=True, forced_playouts=2.0)
    found = analyse(state.game, [state], Sure(), params, seed=1)
    assert found.proven[0] and found.values[0] == 1
    won = state.legal_actions()[state.action_scores() > 0].tolist()
    assert found.best_actions[0] in won
    assert found.policies[0, won].sum() == 1


def test_nothing_is_proven_unasked():
    found = search(CONNECT_FOUR, "112233", 40, prove=False)
    assert not found.proven[0]
    assert found.visit_counts.sum() == 40


def test_a_game_ends_as_the_search_has_proven():
    params = SelfPlayParams(num_searches=8, kept_visits=180, opening_plies=6, seed=3)
    search_params = SearchParams(num_simulations=60, noise_fraction=0.25, prove=True)
    play = SelfPlay(CONNECT_FOUR, search_params, params, evaluator=UNIFORM)
    while play.finished_positions < 600:
        play.select(0, np.zeros((8, *CONNECT_FOUR.plane_shape), np.float32))
    records = play.take_finished()
    ends = np.cumsum(records["num_positions"])
    proven = 0
    for outcome, end, length in zip(records["outcome"], ends, records["num_positions"], strict=True):
        for row in range(end - length, end):
            if records["num_legal"][row] and abs(records["root_value"][row]) == 1:
                proven += 1
                assert records["root_value"][row] == (outcome if records["player"][row] == 0 else -outcome)
    assert proven > 50


@pytest.mark.parametrize("rows, columns, line", [(6, 7, 4), (8, 8, 4), (8, 8, 3), (4, 5, 3), (3, 8, 2), (1, 8, 3)])
def test_connect_four_knows_each_move_that_wins_at_once(rows, columns, line):
    game = connect_four.load(rows=rows, columns=columns, line=line)
    rng, wins = np.random.default_rng(5), 0
    for _ in range(40):
        state = game.initial_state()
        while not state.is_terminal:
            tried = []
            for action in state.legal_actions().tolist():
                after = state.copy()
                after.apply(action)
                if after.is_terminal and after.returns[state.player] == 1:
                    tried.append(action)
            assert state.position.winning_action() == (tried[0] if tried else None), state.moves_text()
            wins += bool(tried)
            state.apply(int(rng.choice(state.legal_actions())))
        assert state.position.winning_action() is None
    assert wins
