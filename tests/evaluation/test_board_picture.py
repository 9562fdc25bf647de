"""Pictures of positions: moves are found on the board that a game writes, and coloured by their probability."""

import numpy as np
import pytest

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.evaluation.board_picture import (
    CELL,
    HEAT,
    MARGIN,
    RIGHT,
    Opinion,
    board_of,
    cells_of_moves,
    draw_position,
    empty_mark,
)

FOUR, TICTACTOE = connect_four.load(), tictactoe.load()


class Written:
    """A position of a game that writes itself in a way of its own."""

    def __init__(self, text, moves, start=None):
        self.text, self.moves, self.game = text, moves, self
        self.start, self.num_moves, self.player = start or self, 0, 0

    def __str__(self):
        return self.text

    def initial_state(self):
        return self.start

    def legal_actions(self):
        return np.arange(len(self.moves), dtype=np.int32)

    def copy(self):
        return Written(self.text, self.moves, self.start)

    def apply(self, action):
        self.text = self.moves[action]

    def action_text(self, action):
        return f"move {action}"

    def moves_text(self):
        return ""


def test_blank_columns_between_cells_are_left_out():
    assert board_of(TICTACTOE.state_from_moves([1, 2, 3])) == [".XO", "X..", "..."]
    assert board_of(FOUR.initial_state())[-2:] == [".......", "1234567"]
    assert empty_mark(FOUR) == "."


def test_notes_are_no_part_of_the_board_and_shifted_rows_are():
    shifted = Written("  a b\n 1 . .\n  2 X .\nX (top to bottom) to move", [])
    assert board_of(shifted) == [" a b  ", "1 . . ", " 2 X ."]
    assert board_of(Written("XO.\n...\nX 1, O 1; X to move", [])) == ["XO.", "..."]
    assert board_of(Written(" 9 . X  9\n10 . . 10\nmove 3", []))[1] == "10..10"


def test_a_move_lies_where_its_piece_comes_to_rest():
    assert cells_of_moves(TICTACTOE.state_from_moves([0])) == {action: divmod(action, 3) for action in range(1, 9)}
    cells = cells_of_moves(FOUR.state_from_moves("4453"))
    assert cells == {0: (5, 0), 1: (5, 1), 2: (4, 2), 3: (3, 3), 4: (4, 4), 5: (5, 5), 6: (5, 6)}


def test_captures_are_found_and_moves_without_a_cell_are_not():
    board = "A . .\nB . .\n. . .\nA to move"
    moves = [
        ". . .\nA . .\n. . .\nB to move",  # takes a piece
        ". . .\nB . .\n. . A\nB to move",  # comes from a cell and fills another
        "A . .\nA A .\n. . .\nB to move",  # fills a cell and turns a piece over
        "A . .\nB . .\n. . .\nB to move",  # passes
        "A A .\nB . A\n. . .\nB to move",  # fills two: no cell of its own
    ]
    assert cells_of_moves(Written(board, moves)) == {0: (1, 0), 1: (2, 2), 2: (1, 1)}


def test_heat_is_where_the_policy_is_and_right_moves_are_outlined():
    state = TICTACTOE.state_from_moves([0])
    policy = np.zeros(9)
    policy[4] = 1.0
    picture = draw_position(state, [Opinion("network", policy, 0.25)], right_actions=[4])
    assert picture.dtype == np.uint8 and picture.shape[2] == 3

    def colours(action):
        row, column = divmod(action, 3)
        y, x = 24 + MARGIN + 46 + row * CELL, MARGIN + column * CELL
        return {tuple(pixel) for pixel in picture[y : y + CELL, x : x + CELL].reshape(-1, 3).tolist()}

    assert HEAT in colours(4) and RIGHT in colours(4)
    for action in (0, 1, 8):
        assert HEAT not in colours(action) and RIGHT not in colours(action)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_opinions_stand_side_by_side(count):
    state = FOUR.initial_state()
    one = draw_position(state, [Opinion("a", np.full(7, 1 / 7), 0.0)])
    assert draw_position(state, [Opinion("a", np.full(7, 1 / 7), 0.0)] * count).shape[1] == count * one.shape[1]


def test_moves_without_a_cell_are_listed_below_the_board():
    board = ". .\n. ."
    placed, passes = ["A .\n. .", ". A\n. ."], [board, board]
    policy = np.array([0.25, 0.25, 0.5, 0.0])
    short = draw_position(Written(board, placed), [Opinion("a", policy, 0.0)])
    long = draw_position(Written(board, placed + passes), [Opinion("a", policy, 0.0)])
    below = long[short.shape[0] - MARGIN :]
    assert long.shape[0] == short.shape[0] + 2 * 22
    assert (below == HEAT).all(axis=2).any()
