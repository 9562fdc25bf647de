"""Go: captures, ko and superko, suicide, scoring, and random games against a reference on lists.

Diagrams hold X for Black, O for White, rows from the top, as the game prints them.
"""

import numpy as np
import pytest

from envs.games.go import go
from rlplat.errors import GameError

KO = """
. X O . .
X O . O .
. X O . .
. . . . .
. . . . .
"""

SENDING_TWO = """
. . . . .
. . . . .
. . . . .
X X O . .
. O . O .
"""

TRIPLE_KO = """
. X O . . . . . .
X O . O . . . . .
. X O . . . . . .
. X O . . . . . .
X . X O . . . . .
. X O . . . . . .
. X O . . . . . .
X O . O . . . . .
. X O . . . . . .
"""


def rows_of(diagram):
    return [row.split() for row in diagram.strip().splitlines()]


def board_of(state):
    """The rows of a printed board, without coordinates."""
    return [row.split()[1:-1] for row in str(state).splitlines()[1 : 1 + state.game.plane_shape[1]]]


def set_up(diagram, player, without=(), **parameters):
    """The diagram's stones played in turn, the side that has fewer passing first, and `player` to move then.

    Stones at vertices of `without` are replaced by a pass.
    """
    rows = rows_of(diagram)
    game = go.load(size=len(rows), **parameters)
    state = game.initial_state()
    names = {
        (row, column): state.action_text(row * len(rows) + column)
        for row in range(len(rows))
        for column in range(len(rows))
    }
    stones = {colour: [name for (row, column), name in names.items() if rows[row][column] == colour] for colour in "XO"}
    num_turns = max(map(len, stones.values()))
    lines = [["pass"] * (num_turns - len(vertices)) + vertices for vertices in stones.values()]
    for turn in zip(*lines, strict=True):
        for vertex in turn:
            state.play("pass" if vertex in without else vertex)
    while state.player != player:
        state.play("pass")
    expected = [["." if names[r, c] in without else cell for c, cell in enumerate(row)] for r, row in enumerate(rows)]
    assert board_of(state) == expected
    return state


def legal(state):
    return [state.action_text(action) for action in state.legal_actions()]


def test_a_chain_without_liberties_is_taken_and_its_points_are_free_again():
    state = go.load(size=5).state_from_moves("B1 A1 A3 A2 B2")
    assert board_of(state)[2:] == [list("X...."), list(".X..."), list(".X...")]
    assert {"A1", "A2"} <= set(legal(state))


def test_one_stone_takes_several_chains_at_once():
    state = set_up(
        """
        . X . . .
        X O X . .
        . . O X .
        . . X . .
        . . . . .
        """,
        0,
    )
    state.play("B3")
    assert board_of(state)[1:3] == [list("X.X.."), list(".X.X.")]


def test_no_stone_takes_its_own_last_liberty():
    corner = go.load(size=5).state_from_moves("A2 E5 B1")
    assert corner.player == 1 and "A1" not in legal(corner)
    with pytest.raises(GameError, match="not legal"):
        corner.apply(corner.game.initial_state().parse_action("A1"))
    two = set_up(
        """
        . . . . .
        . . . . .
        X X . . .
        O . X . .
        X X . . .
        """,
        1,
    )
    assert "B2" not in legal(two)  # the chain of two would have none


def test_a_stone_that_takes_may_fill_its_own_last_liberty():
    state = set_up(
        """
        . . . . .
        . . . . .
        O O . . .
        X X O . .
        . X O . .
        """,
        1,
    )
    state.play("A1")
    assert board_of(state)[3:] == [list("..O.."), list("O.O..")]


def test_a_ko_may_be_retaken_after_a_move_elsewhere_only():
    state = set_up(KO, 0)
    state.play("C4")
    assert board_of(state)[1] == list("X.XO.")
    assert "B4" not in legal(state)
    state.play("E1 E2")
    assert "B4" in legal(state)
    state.play("B4")
    assert board_of(state)[1] == list("XO.O.")
    assert "C4" not in legal(state)


def test_sending_two_returning_one_is_forbidden():
    state = set_up(SENDING_TWO, 1)
    state.play("A1 C1")
    assert board_of(state)[4] == list("..XO.")
    assert "B1" not in legal(state)  # would take C1 and bring back the diagram
    assert "A1" in legal(state)
    state.play("E5 E4")
    assert "B1" in legal(state)


def test_the_last_move_of_a_triple_ko_is_forbidden():
    state = set_up(TRIPLE_KO, 0)
    for vertex in ("C8", "B5", "C2", "B8", "C5"):
        assert vertex in legal(state)
        state.play(vertex)
    assert "B2" not in legal(state)  # would bring back the diagram, five plies after it
    state.play("J9 J8")
    assert "B2" in legal(state)


def test_a_ko_is_open_where_the_board_never_looked_so_before():
    """The same board and the same number of plies, but there was no white stone to take."""
    taken, quiet = set_up(KO, 0), set_up(KO, 0, without=["B4"])
    for state in (taken, quiet):
        state.play("C4")
    assert str(taken) == str(quiet)
    assert taken.hash == quiet.hash
    assert "B4" not in legal(taken) and "B4" in legal(quiet)
    assert taken.evaluation_key != quiet.evaluation_key


@pytest.mark.parametrize("moves", [("C3 A1 D3 A2", "D3 A2 C3 A1"), ("C3 A1 D3 A2 E3 pass", "C3 A1 E3 A2 D3 pass")])
def test_the_key_depends_on_the_order_of_moves(moves):
    """Superko and planes look at the positions in between, which differ."""
    for history in (1, 8):
        one, other = (go.load(size=5, history=history).state_from_moves(line) for line in moves)
        assert one.hash == other.hash
        assert (one.planes() == other.planes()).all() == (history == 1)
        assert one.evaluation_key != other.evaluation_key
        again = go.load(size=5, history=history).state_from_moves(moves[0])
        assert again.evaluation_key == one.evaluation_key


@pytest.mark.parametrize(
    "diagram, lead",
    [
        (". X O . .\n" * 5, 10 - 15),
        (". X . O .\n" * 5, 0),  # the points in between are nobody's
        ("X . O O .\n" * 5, 5 - 15),
        # A seki: who plays at C2 or C3 is taken, so these points stay empty and count for nobody.
        ("X X X O O\nX X X O O\nX X . O O\nX X . O O\nX X X O O", 13 - 10),
    ],
)
def test_area_is_stones_and_what_only_one_side_reaches(diagram, lead):
    for komi, returns in ((lead - 0.5, 1), (lead, 0), (lead + 0.5, -1)):
        state = set_up(diagram, 0, komi=komi)
        while not state.is_terminal:
            state.play("pass")
        assert state.returns.tolist() == [returns, -returns]


def test_an_empty_board_is_nobodys_and_komi_decides():
    for komi, returns in ((0, 0), (0.5, -1), (-0.5, 1)):
        assert go.load(komi=komi).state_from_moves("pass pass").returns[0] == returns
    with pytest.raises(GameError, match=r"komi=7.25.*multiple of 0.5"):
        go.load(komi=7.25)


def test_two_passes_end_a_game_and_so_does_its_maximum_length():
    state = go.load(size=5).state_from_moves("pass C3 pass")
    assert not state.is_terminal
    assert str(state).endswith("O to play, after a pass\n")
    state.play("pass")
    assert state.is_terminal
    assert go.load(size=5).max_length == 50
    assert go.load(size=5, max_length=3).state_from_moves("A1 B1 C1").is_terminal


def test_a_pass_wins_at_once_after_a_pass_if_the_score_does():
    state = go.load(size=5, komi=0.5).state_from_moves("C3 pass")
    assert state.action_text(state.position.winning_action()) == "pass"
    behind = go.load(size=5, komi=26).state_from_moves("C3 pass")
    assert behind.position.winning_action() is None
    assert go.load(size=5).state_from_moves("C3").position.winning_action() is None


def test_vertices_are_those_of_gtp():
    state = go.load(size=19).initial_state()
    names = legal(state)
    assert names[0] == "A19" and names[18] == "T19" and names[-2] == "T1" and names[-1] == "pass"
    assert not any("I" in name for name in names) and len(set(names)) == 362
    assert state.parse_action("q4") == state.parse_action("Q4") and state.parse_action("PASS") == 361
    for text in ("I5", "U1", "A0", "A20", "", "Q4 "):
        with pytest.raises(GameError, match="no legal move"):
            state.parse_action(text)


def test_planes_show_the_last_positions_newest_first_and_who_is_to_move():
    state = go.load(size=5, history=3).state_from_moves("A5 B5 C5")
    planes = state.planes()
    first_row = planes[:, 0, :].astype(int).tolist()
    assert first_row == [
        [0, 1, 0, 0, 0],  # White, to move
        [1, 0, 1, 0, 0],
        [0, 1, 0, 0, 0],  # before C5
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],  # before B5
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],  # not Black's turn
    ]
    state.play("D5")
    assert (state.planes()[6] == 1).all()


class Reference:
    """Go on lists, written for clarity. `board` maps cells to players."""

    def __init__(self, size):
        self.size, self.board, self.player, self.passes = size, {}, 0, 0
        self.seen = {frozenset()}

    def beside(self, cell):
        row, column = cell
        near = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        return [(r, c) for r, c in near if 0 <= r < self.size and 0 <= c < self.size]

    def chain(self, board, cell):
        """Cells connected to `cell` with its content, and the contents at their border."""
        found, waiting, border = {cell}, [cell], set()
        while waiting:
            for near in self.beside(waiting.pop()):
                if board.get(near) != board.get(cell):
                    border.add(board.get(near))
                elif near not in found:
                    found.add(near)
                    waiting.append(near)
        return found, border

    def after(self, cell):
        """The board after a stone; None if it is not legal, and whether that is because of superko."""
        if cell in self.board:
            return None, False
        board = {**self.board, cell: self.player}
        for near in self.beside(cell):
            if board.get(near) == 1 - self.player:
                stones, border = self.chain(board, near)
                if None not in border:
                    board = {at: owner for at, owner in board.items() if at not in stones}
        if None not in self.chain(board, cell)[1]:
            return None, False
        return (None, True) if frozenset(board.items()) in self.seen else (board, False)

    def apply(self, cell):
        self.passes = self.passes + 1 if cell is None else 0
        if cell is not None:
            self.board = self.after(cell)[0]
            self.seen.add(frozenset(self.board.items()))
        self.player = 1 - self.player

    def lead(self):
        lead = 0
        for cell in ((r, c) for r in range(self.size) for c in range(self.size)):
            owners = {self.board[cell]} if cell in self.board else self.chain(self.board, cell)[1]
            lead += {(0,): 1, (1,): -1}.get(tuple(owners), 0)
        return lead


def test_random_games_equal_those_of_a_reference():
    forbidden = 0
    for size, num_games, max_length in ((5, 16, 120), (9, 1, 160), (13, 1, 30), (15, 1, 20), (19, 1, 20)):
        game = go.load(size=size, komi=0.5, max_length=max_length)
        rng = np.random.default_rng(3)
        for _ in range(num_games):
            state, reference = game.initial_state(), Reference(size)
            while not state.is_terminal:
                expected = []
                for row in range(size):
                    for column in range(size):
                        board, superko = reference.after((row, column))
                        forbidden += superko
                        if board is not None:
                            expected.append(row * size + column)
                assert state.legal_actions().tolist() == [*expected, size * size], state.moves_text()
                marks = [[".XO"[reference.board.get((r, c), -1) + 1] for c in range(size)] for r in range(size)]
                assert board_of(state) == marks, state.moves_text()
                action = int(rng.choice(expected)) if expected and rng.random() < 0.97 else size * size
                state.apply(action)
                reference.apply(None if action == size * size else divmod(action, size))
            assert state.returns[0] == np.sign(reference.lead() - 0.5), state.moves_text()
    assert forbidden > 5
