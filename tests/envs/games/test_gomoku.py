"""Gomoku: lines of five and more in every direction, under both rules, and plain rules beside it."""

import numpy as np
import pytest
from playing import check_against, check_against_open_spiel, random_games

from envs.games.gomoku import gomoku

LETTERS = "abcdefghijklmnopqrs"
DIRECTIONS = [(0, 1), (1, 0), (1, 1), (1, -1)]


class Reference:
    """Gomoku on a dictionary of stones; looks at the whole board after each move."""

    def __init__(self, size, exact):
        self.size, self.exact, self.player, self.stones = size, exact, 0, {}

    def legal(self):
        every = {(row, column) for row in range(self.size) for column in range(self.size)}
        return {f"{LETTERS[column]}{self.size - row}" for row, column in every - set(self.stones)}

    def apply(self, move):
        self.stones[self.size - int(move[1:]), LETTERS.index(move[0])] = self.player
        self.player = 1 - self.player

    def run(self, cell, step):
        length, player = 0, self.stones[cell]
        while self.stones.get(cell) == player:
            length, cell = length + 1, (cell[0] + step[0], cell[1] + step[1])
        return length

    def winner(self):
        for (row, column), player in self.stones.items():
            for step in DIRECTIONS:
                if self.stones.get((row - step[0], column - step[1])) != player:  # the line starts here
                    length = self.run((row, column), step)
                    if length == 5 or (length > 5 and not self.exact):
                        return player
        return -1 if len(self.stones) == self.size**2 else None

    def planes(self):
        planes = np.zeros((2, self.size, self.size))
        for (row, column), player in self.stones.items():
            planes[int(player != self.player), row, column] = 1
        return planes


@pytest.mark.parametrize("size, exact", [(5, 0), (6, 1), (7, 0), (9, 1), (15, 0), (19, 1)])
def test_the_rules_equal_a_plain_reference_in_random_games(size, exact):
    check_against(gomoku.load(size=size, exact=exact), lambda: Reference(size, exact), num_games=12 if size < 9 else 3)


def test_random_games_are_those_of_open_spiel():
    check_against_open_spiel(gomoku.load(size=9), "gomoku", {"size": 9}, 15)


def played(game, first, second):
    """Return the position after two players' stones in turn; the first player's last one ends the text."""
    moves = [move for pair in zip(first.split(), second.split(), strict=False) for move in pair]
    return game.state_from_moves(" ".join([*moves, first.split()[-1]]))


@pytest.mark.parametrize(
    "line",
    ["a1 b1 c1 d1 e1", "i5 i6 i7 i8 i9", "e5 f6 g7 h8 i9", "a9 b8 c7 d6 e5", "e1 d2 c3 b4 a5", "c4 d4 f4 g4 e4"],
)
def test_five_in_a_line_win_in_every_direction_and_at_the_edges(line):
    for exact in (0, 1):
        state = played(gomoku.load(exact=exact), line, "a2 c2 e2 g2")
        assert state.returns.tolist() == [1.0, -1.0], str(state)


def test_lines_do_not_go_on_around_the_edge():
    state = played(gomoku.load(size=9), "g5 h5 i5 a4 b4", "a1 c1 e1 g1")
    assert not state.is_terminal


def test_six_in_a_line_win_free_style_only():
    six, others = "a1 b1 c1 e1 f1 d1", "a3 c3 e3 g3 i3"
    assert played(gomoku.load(), six, others).returns.tolist() == [1.0, -1.0]
    assert not played(gomoku.load(exact=1), six, others).is_terminal


def test_an_overline_counts_where_it_also_makes_a_five_in_another_direction():
    six, others = "a1 b1 c1 e1 f1 d2 d3 d4 d5 d1", "a3 b3 e3 g3 i3 a7 c7 e7 g7"
    assert played(gomoku.load(exact=1), six, others).returns.tolist() == [1.0, -1.0]


def test_a_full_board_without_a_line_is_a_draw():
    draws = [states[-1] for states in random_games(gomoku.load(size=5), 40) if not states[-1].returns.any()]
    assert draws
    assert all(state.num_moves == 25 for state in draws)


def test_moves_are_written_from_the_lower_left():
    state = gomoku.load(size=15).state_from_moves("h8 a1 o15")
    rows = str(state).splitlines()
    assert rows[7].split()[:9] == ["8", *".......", "X"]
    assert rows[14].split()[:2] == ["1", "O"]
    assert rows[0].split()[-1] == "X"
    assert state.moves_text() == "h8 a1 o15"
