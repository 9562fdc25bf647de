"""Othello: known numbers of games, known results, and plain rules beside it."""

import numpy as np
import pytest
from playing import after, check_against, check_against_open_spiel, mean_score, random_games

from envs.games.othello import othello
from rlplat.errors import GameError
from rlplat.evaluation.arena import draw_openings
from rlplat.evaluation.positions import own_positions

DIRECTIONS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column]


class Reference:
    """Othello on a dictionary of discs, one step at a time."""

    def __init__(self, size):
        middle = size // 2
        self.size, self.player = size, 0
        self.discs = {
            (middle - 1, middle): 0,
            (middle, middle - 1): 0,
            (middle - 1, middle - 1): 1,
            (middle, middle): 1,
        }

    def flips(self, cell, player):
        if cell in self.discs:
            return []
        flipped = []
        for row_step, column_step in DIRECTIONS:
            run, (row, column) = [], (cell[0] + row_step, cell[1] + column_step)
            while self.discs.get((row, column)) == 1 - player:
                run.append((row, column))
                row, column = row + row_step, column + column_step
            if self.discs.get((row, column)) == player:
                flipped += run
        return flipped

    def cells(self, player):
        every = [(row, column) for row in range(self.size) for column in range(self.size)]
        return [cell for cell in every if self.flips(cell, player)]

    def legal(self):
        return {f"{'abcdefgh'[column]}{row + 1}" for row, column in self.cells(self.player)} or {"pass"}

    def apply(self, move):
        if move != "pass":
            cell = int(move[1]) - 1, "abcdefgh".index(move[0])
            for flipped in [*self.flips(cell, self.player), cell]:
                self.discs[flipped] = self.player
        self.player = 1 - self.player

    def winner(self):
        if self.cells(0) or self.cells(1):
            return None
        first, second = (list(self.discs.values()).count(player) for player in (0, 1))
        return -1 if first == second else int(second > first)

    def planes(self):
        planes = np.zeros((2, self.size, self.size))
        for (row, column), player in self.discs.items():
            planes[int(player != self.player), row, column] = 1
        return planes


def perft(state, plies):
    """Return the number of move sequences of so many plies; passes count as moves."""
    if plies == 1:
        return len(state.legal_actions())
    return sum(perft(after(state, action), plies - 1) for action in state.legal_actions().tolist())


def test_the_start_has_the_known_numbers_of_move_sequences():
    """Aart Bik, "Perft for Reversi"."""
    start = othello.load().initial_state()
    assert [perft(start, plies) for plies in range(1, 9)] == [4, 12, 56, 244, 1396, 8200, 55092, 390216]


@pytest.mark.parametrize("size", [4, 6, 8])
def test_the_rules_equal_a_plain_reference_in_random_games(size):
    check_against(othello.load(size=size), lambda: Reference(size), num_games=12)


def test_random_games_are_those_of_open_spiel():
    check_against_open_spiel(othello.load(), "othello", {}, 30)


def test_the_shortest_game_wipes_out_the_second_player_in_nine_moves():
    for game in (othello.load(), othello.load(size=6)):
        moves = "e6 f4 e3 f6 g5 d6 e7 f5 c5" if game.plane_shape[1] == 8 else "d5 e3 d2 e5 f4 c5 d6 e4 b4"
        state = game.state_from_moves(moves)
        assert state.is_terminal
        assert state.returns.tolist() == [1.0, -1.0]
        assert str(state).endswith("X 13, O 0\n")
        assert game.min_length == 9


def test_who_cannot_flip_passes_and_nobody_else_does():
    passes = 0
    for states in random_games(othello.load(size=6), 60):
        for state in states[:-1]:
            moves = [state.action_text(action) for action in state.legal_actions()]
            assert moves == ["pass"] or "pass" not in moves
            if moves == ["pass"]:
                passed = after(state, "pass")
                assert passed.player == 1 - state.player
                assert passed.planes().tolist() == state.planes()[::-1].tolist()
                passes += 1
    assert passes > 10


def test_a_board_of_odd_size_is_refused():
    with pytest.raises(GameError, match="othello refuses size=5: the board's size must be even"):
        othello.load(size=5)


def test_the_second_player_wins_4x4_by_eleven_to_three():
    """Known; the two cells that stay empty go to the winner: half of -(11 + 2 - 3)."""
    assert othello.load(size=4).initial_state().exact_score() == -5


def brute_force(state):
    """Return the exact score as othello_solver.hpp defines it, from the rules alone."""
    if not state.is_terminal:
        scores = [brute_force(after(state, action)) for action in state.legal_actions().tolist()]
        return max(-score for score in scores)
    mine, theirs = (int(plane.sum()) for plane in state.planes())
    half = state.planes()[0].size // 2
    return 0 if mine == theirs else half - theirs if mine > theirs else mine - half


@pytest.mark.parametrize("size, plies", [(6, 27), (8, 55)])
def test_endings_have_the_scores_of_brute_force(size, plies):
    for state in draw_openings(othello.load(size=size), 25, plies, seed=0):
        expected = [-brute_force(after(state, action)) for action in state.legal_actions().tolist()]
        assert state.action_scores().tolist() == expected, state.moves_text()
        assert state.exact_score() == max(expected) == brute_force(state)


def test_scores_are_quick_from_the_plies_that_the_game_names():
    assert [othello.load(size=size).exact_score_from for size in (4, 6, 8)] == [0, 16, 44]
    for state in draw_openings(othello.load(), 3, 46, seed=1):
        scores = state.action_scores()
        assert state.exact_score() == scores.max()
        assert abs(scores).max() <= 32


def test_mirrored_positions_have_mirrored_scores():
    game = othello.load()
    for states in random_games(game, 2):
        state = states[50]
        for index in range(game.num_symmetries):
            image = np.argsort(game.symmetry(index)[1])
            mirrored = game.state_from_moves([int(image[action]) for action in state.actions])
            by_action = dict(zip(mirrored.legal_actions().tolist(), mirrored.action_scores().tolist(), strict=True))
            assert [by_action[image[a]] for a in state.legal_actions().tolist()] == state.action_scores().tolist()


def test_the_heuristic_is_even_at_the_start_and_likes_corners():
    game = othello.load()
    assert game.initial_state().heuristic() == 0
    with_corner = [state for states in random_games(game, 30) for state in states[:-1] if corners(state) == (1, 0)]
    against = [state for states in random_games(game, 30) for state in states[:-1] if corners(state) == (0, 1)]
    assert (
        np.mean([state.heuristic() for state in with_corner]) > np.mean([state.heuristic() for state in against]) + 0.3
    )


def corners(state):
    return tuple(int(plane[::7, ::7].sum()) for plane in state.planes())


def test_alpha_beta_with_the_heuristic_beats_random_play():
    assert mean_score(othello.load(), "alphabeta:2", "random", num_games=20, opening_plies=4) >= 0.9


def test_the_positions_that_come_with_the_game_are_scored_truly():
    positions = own_positions(othello.load(size=6))
    assert len(positions) == 200
    for position in positions[::20]:
        assert position.state.action_scores().tolist() == position.scores.tolist()
    assert own_positions(othello.load()) == []
