"""Breakthrough: steps, captures, both ways to win, and plain rules beside it."""

import numpy as np
import pytest
from playing import after, check_against, check_against_open_spiel, mean_score, random_games

from envs.games.breakthrough import breakthrough

LETTERS = "abcdefgh"


class Reference:
    """Breakthrough on a dictionary of pieces, rows counted from the first player's side."""

    def __init__(self, rows, columns):
        self.rows, self.columns, self.player = rows, columns, 0
        home = 2 if rows >= 6 else 1
        self.pieces = {(row, column): 0 for row in range(home) for column in range(columns)}
        self.pieces |= {(rows - 1 - row, column): 1 for row in range(home) for column in range(columns)}

    def legal(self):
        moves = set()
        for (row, column), owner in self.pieces.items():
            ahead = row + (1 if self.player == 0 else -1)
            for side in (-1, 0, 1):
                if owner != self.player or not 0 <= column + side < self.columns or not 0 <= ahead < self.rows:
                    continue
                there = self.pieces.get((ahead, column + side))
                if there is None or (there != owner and side):
                    sign = "" if there is None else "x"
                    moves.add(f"{LETTERS[column]}{row + 1}{sign}{LETTERS[column + side]}{ahead + 1}")
        return moves

    def apply(self, move):
        start, end = ((int(cell[1]) - 1, LETTERS.index(cell[0])) for cell in (move[:2], move[-2:]))
        self.pieces[end] = self.pieces.pop(start)
        self.player = 1 - self.player

    def winner(self):
        for player, last in ((0, self.rows - 1), (1, 0)):
            if any(owner == player and row == last for (row, _), owner in self.pieces.items()):
                return player
        owners = set(self.pieces.values())
        return owners.pop() if len(owners) == 1 else None

    def planes(self):
        planes = np.zeros((2, self.rows, self.columns))
        for (row, column), owner in self.pieces.items():
            from_top = self.rows - 1 - row if self.player == 0 else row
            planes[int(owner != self.player), from_top, column] = 1
        return planes


@pytest.mark.parametrize("rows, columns", [(8, 8), (6, 6), (5, 4), (4, 2), (7, 3)])
def test_the_rules_equal_a_plain_reference_in_random_games(rows, columns):
    check_against(breakthrough.load(rows=rows, columns=columns), lambda: Reference(rows, columns), num_games=15)


@pytest.mark.parametrize("rows, columns", [(8, 8), (6, 5)])
def test_random_games_are_those_of_open_spiel(rows, columns):
    parameters = {"rows": rows, "columns": columns}
    check_against_open_spiel(breakthrough.load(**parameters), "breakthrough", parameters, 30)


def test_the_start_has_22_moves_for_each_player():
    start = breakthrough.load().initial_state()
    assert len(start.legal_actions()) == 22
    assert {len(after(start, action).legal_actions()) for action in start.legal_actions().tolist()} == {22}


def test_a_piece_captures_diagonally_and_is_blocked_straight_ahead():
    state = breakthrough.load().state_from_moves("d2d3 e7e6 d3d4 e6e5")
    moves = [state.action_text(action) for action in state.legal_actions()]
    assert "d4xe5" in moves
    assert {move for move in moves if move.startswith("d4")} == {"d4xe5", "d4d5", "d4c5"}
    blocked = game_after(state, "d4d5 e5e4 d5d6")
    replies = {blocked.action_text(action) for action in blocked.legal_actions()}
    assert "c7xd6" in replies
    assert "d7d6" not in replies


def game_after(state, moves):
    for move in moves.split():
        state = after(state, move)
    return state


def test_reaching_the_last_row_wins_at_once_in_the_shortest_game():
    game = breakthrough.load()
    state = game.state_from_moves("d2d3 a7a6 d3d4 a6a5 d4d5 a5a4 d5d6 h7h6 d6xc7 h6h5 c7xb8")
    assert state.returns.tolist() == [1.0, -1.0]
    assert state.num_moves == game.min_length == 11
    assert str(state).endswith("white has won\n")


def test_two_captures_end_a_game_on_two_columns_sooner_than_a_walk():
    game = breakthrough.load(rows=5, columns=2)
    state = game.state_from_moves("b1b2 b5b4 b2a3 b4xa3 a1b2 a3xb2")
    assert state.returns.tolist() == [-1.0, 1.0]
    assert state.num_moves == game.min_length == 6


def test_capturing_everything_wins():
    results = [states[-1] for states in random_games(breakthrough.load(rows=4, columns=2), 200)]
    captured = [state for state in results if not state.planes()[0].any()]
    assert captured
    assert all(state.returns[state.player] == -1 for state in captured)


def test_the_heuristic_prefers_to_be_ahead_and_knows_who_cannot_be_caught():
    game = breakthrough.load(rows=6, columns=6)
    start = game.initial_state()
    assert 0 < start.heuristic() < 0.1
    ahead = game.state_from_moves("c2c3 d5d4 c3xd4 a5a4 f2f3 b5b4")
    assert ahead.heuristic() > start.heuristic()


def test_alpha_beta_with_the_heuristic_beats_random_play_and_a_small_search():
    game = breakthrough.load(rows=6, columns=6)
    assert mean_score(game, "alphabeta:2", "random", num_games=20, opening_plies=4) >= 0.9
    assert mean_score(game, "alphabeta:3", "mcts:50", num_games=20, opening_plies=4) >= 0.6
