"""Exact scores against brute force, known facts, and what the contract says of them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.errors import GameError
from rlplat.evaluation.arena import draw_openings
from rlplat.search.game import Game, State

BOARDS = [(4, 4, 4), (4, 4, 3), (3, 5, 3), (2, 7, 2), (4, 3, 4), (1, 8, 3), (8, 2, 8), (5, 4, 4), (7, 8, 4), (6, 7, 4)]


class BruteForce:
    """The score as the headers define it, from the rules alone."""

    def __init__(self, game: Game, cells: int) -> None:
        self.game, self.cells = game, cells
        self.known: dict[int, int] = {}

    def score(self, state: State) -> int:
        if state.hash not in self.known:
            self.known[state.hash] = self.search(state)
        return self.known[state.hash]

    def search(self, state: State) -> int:
        if not state.is_terminal:
            return max(-self.score(after(state, action)) for action in state.position.legal_actions())
        if not state.returns.any():
            return 0
        winners = (state.num_moves + 1) // 2  # the winner has just moved
        in_all = self.cells // 2 + (self.cells % 2 if state.player == 1 else 0)
        return -(in_all - winners + 1)


def after(state: State, action: int) -> State:
    copy = state.copy()
    copy.position.apply(int(action))
    return copy


def openings(game: Game, num_openings: int, plies: int) -> list[State]:
    """Empty where random play seldom lasts that long."""
    try:
        return draw_openings(game, num_openings, plies, plies)
    except GameError:
        return []


@pytest.mark.parametrize("rows, columns, line", BOARDS)
def test_scores_of_connect_four_are_those_of_brute_force(rows, columns, line):
    game = connect_four.load(rows=rows, columns=columns, line=line)
    brute, compared = BruteForce(game, rows * columns), 0
    # From the start where brute force takes a moment, in the last plies where it takes ages.
    for plies in range(max(0, rows * columns - 13), rows * columns):
        for state in openings(game, 10, plies):
            assert state.exact_score() == brute.score(state), state.moves_text()
            expected = [-brute.score(after(state, action)) for action in state.legal_actions()]
            assert state.action_scores().tolist() == expected, state.moves_text()
            compared += 1
    assert compared >= 20


def test_every_score_of_tictactoe_is_that_of_brute_force():
    game = tictactoe.load()
    brute = BruteForce(game, 9)
    brute.score(game.initial_state())
    assert len(brute.known) == 5478
    seen, waiting = set(), [game.initial_state()]
    while waiting:
        state = waiting.pop()
        if state.hash in seen:
            continue
        seen.add(state.hash)
        assert state.exact_score() == brute.score(state)
        waiting += [after(state, action) for action in state.legal_actions()]
    assert len(seen) == 5478


def test_a_score_is_what_the_winner_has_left_on_the_standard_board():
    game = connect_four.load()
    # Three in a row, open at both sides: the fourth stone of 21 wins.
    state = game.state_from_moves("334455")
    assert state.exact_score() == 22 - 4
    assert state.action_scores().max() == 18
    assert after(state, 1).exact_score() == -18  # lost already: the winner's view negated


def test_mirrored_positions_have_mirrored_scores():
    game = connect_four.load()
    for state in draw_openings(game, 10, 18, 0):
        mirrored = game.state_from_moves([6 - action for action in state.actions])
        if len(state.legal_actions()) == 7:
            assert state.action_scores().tolist() == mirrored.action_scores().tolist()[::-1]


def test_scores_do_not_depend_on_what_was_solved_before_or_on_threads():
    states = draw_openings(connect_four.load(), 40, 16, 0)
    alone = [connect_four.load().state_from_moves(state.actions).exact_score() for state in states[:3]]
    one_after_the_other = [state.exact_score() for state in states]
    fresh = connect_four.load()
    copies = [fresh.state_from_moves(state.actions) for state in states]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(State.exact_score, copies)) == one_after_the_other
    assert one_after_the_other[:3] == alone


def test_a_board_that_does_not_fit_the_solver_says_so():
    game = connect_four.load(rows=8, columns=8)
    assert game.exact_score_from is None
    for ask in (State.exact_score, State.action_scores):
        with pytest.raises(GameError, match=r"columns=8, line=4 has no exact scores; .* connect_four, othello, tictac"):
            ask(game.initial_state())


def test_scores_are_quick_from_the_plies_that_the_game_names():
    assert connect_four.load().exact_score_from == 12
    assert connect_four.load(rows=4, columns=5).exact_score_from == 0
    assert tictactoe.load().exact_score_from == 0


def test_a_finished_game_has_the_score_of_its_result():
    game = connect_four.load()
    won = game.state_from_moves("1122334")
    assert (won.exact_score(), won.action_scores().tolist(), won.action_scores().dtype) == (-18, [], np.int32)
    assert (tictactoe.load().state_from_moves("513728469").exact_score()) == 0
