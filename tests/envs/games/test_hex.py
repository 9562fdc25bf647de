"""Hex: exactly one winner, known results of small boards, and plain rules beside it."""

import functools

import numpy as np
import pytest
from playing import after, check_against, check_against_open_spiel, random_games

from envs.games.hex import hex as hex_game
from rlplat.errors import GameError
from rlplat.evaluation.positions import own_positions

LETTERS = "abcdefghijklmnopqrs"
STEPS = [(-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)]


def connects(stones, player, size):
    """Whether cells (row, column) of a player link top and bottom (0) or left and right (1)."""
    reached = {cell for cell in stones if cell[player] == 0}
    waiting = list(reached)
    while waiting:
        row, column = waiting.pop()
        near = {(row + row_step, column + column_step) for row_step, column_step in STEPS}
        waiting += (near & stones) - reached
        reached |= near & stones
    return any(cell[player] == size - 1 for cell in reached)


class Reference:
    """Hex on two sets of cells."""

    def __init__(self, size, swap):
        self.size, self.swap, self.player = size, swap, 0
        self.stones = (set(), set())
        self.num_moves = 0

    def legal(self):
        every = {(row, column) for row in range(self.size) for column in range(self.size)}
        moves = {f"{LETTERS[column]}{row + 1}" for row, column in every - self.stones[0] - self.stones[1]}
        return moves | ({"swap"} if self.swap and self.num_moves == 1 else set())

    def apply(self, move):
        if move == "swap":
            row, column = self.stones[0].pop()
            self.stones[1].add((column, row))
        else:
            self.stones[self.player].add((int(move[1:]) - 1, LETTERS.index(move[0])))
        self.player, self.num_moves = 1 - self.player, self.num_moves + 1

    def winner(self):
        return next((player for player in (0, 1) if connects(self.stones[player], player, self.size)), None)

    def planes(self):
        planes = np.zeros((2 + self.swap, self.size, self.size))
        for owner, stones in enumerate(self.stones):
            for row, column in stones:
                cell = (row, column) if self.player == 0 else (column, row)
                planes[(int(owner != self.player), *cell)] = 1
        planes[2:] = self.num_moves == 1
        return planes


@pytest.mark.parametrize("size, swap", [(3, True), (4, False), (5, True), (9, False)])
def test_the_rules_equal_a_plain_reference_in_random_games(size, swap):
    check_against(hex_game.load(size=size, swap=swap * 1), lambda: Reference(size, swap), num_games=20)


@pytest.mark.parametrize("size, swap", [(4, True), (6, False), (11, True)])
def test_random_games_are_those_of_open_spiel(size, swap):
    parameters = {"board_size": size, "swap": swap}
    check_against_open_spiel(hex_game.load(size=size, swap=swap * 1), "hex", parameters, 30)


@pytest.mark.parametrize("size", [3, 5, 8, 19])
def test_a_full_board_has_exactly_one_winner_and_it_is_who_won(size):
    game, rng = hex_game.load(size=size), np.random.default_rng(size)
    for _ in range(20):
        cells = [(int(cell) // size, int(cell) % size) for cell in rng.permutation(size * size)]
        state = game.initial_state()
        for row, column in cells:
            if not state.is_terminal:
                state.apply(state.parse_action(f"{LETTERS[column]}{row + 1}"))
        winners = [player for player in (0, 1) if connects(set(cells[player::2]), player, size)]
        assert winners == [int(state.returns[1] > 0)]


def test_a_swapped_stone_lies_reflected_and_the_first_player_goes_on():
    game = hex_game.load(size=5, swap=1)
    state = game.state_from_moves("c5 swap")
    assert state.player == 0
    assert str(state).splitlines()[3].split() == ["3", ".", ".", ".", ".", "O"]
    assert str(state).count("O ") + str(state).count("O\n") == 1
    # What the opponent saw before is what the first player sees now, but for the right to swap.
    before = game.state_from_moves("c5")
    assert before.planes()[:2].tolist() == state.planes()[:2].tolist()
    assert (before.planes()[2].min(), state.planes()[2].max()) == (1, 0)


def test_only_the_first_stone_may_be_taken_over():
    game = hex_game.load(size=4, swap=1)
    assert game.num_actions == 17
    for states in random_games(game, 10):
        offered = [
            state.num_moves
            for state in states[:-1]
            if "swap" in {state.action_text(action) for action in state.legal_actions()}
        ]
        assert offered == [1]
    with pytest.raises(GameError, match="'swap' is no legal move here"):
        hex_game.load(size=4).state_from_moves("a1 swap")


def test_both_players_see_themselves_connect_top_and_bottom():
    state = hex_game.load(size=3).state_from_moves("a1 c2 b1 b2 c1")
    assert state.planes()[0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]
    won = after(state, "a2")
    assert won.returns.tolist() == [-1, 1]
    assert "O (left to right) has won" in str(won)


@functools.cache
def brute_force(size, moves):
    """Return 1 if the player to move wins after these moves (sorted for each player), else -1."""
    state = Reference(size, swap=False)
    for owner in (0, 1):
        state.stones[owner].update(moves[owner])
    state.player = (len(moves[0]) + len(moves[1])) % 2
    if state.winner() is not None:
        return -1
    for move in state.legal():
        cell = (int(move[1:]) - 1, LETTERS.index(move[0]))
        grown = [set(stones) for stones in moves]
        grown[state.player].add(cell)
        if brute_force(size, tuple(frozenset(stones) for stones in grown)) < 0:
            return 1
    return -1


def stones_of(state):
    size = state.game.plane_shape[1]
    planes = state.planes()[:2] if state.player == 0 else state.planes()[1::-1].transpose(0, 2, 1)
    return tuple(frozenset((cell // size, cell % size) for cell in np.flatnonzero(plane)) for plane in planes)


def test_every_position_of_3x3_games_has_the_score_of_brute_force():
    for states in random_games(hex_game.load(size=3), 150):
        for state in states:
            assert state.exact_score() == brute_force(3, stones_of(state)), state.moves_text()


@pytest.mark.parametrize("size, from_ply", [(4, 8), (5, 17), (6, 28)])
def test_larger_boards_have_the_scores_of_brute_force_where_it_takes_a_moment(size, from_ply):
    for states in random_games(hex_game.load(size=size), 20):
        for state in states[from_ply : from_ply + 4]:
            assert state.exact_score() == brute_force(size, stones_of(state)), state.moves_text()


def test_the_first_player_wins_small_boards_from_the_short_diagonal():
    """Nash's argument says that a winning opening exists; on 4x4 only the short diagonal wins."""
    start = hex_game.load(size=4).initial_state()
    winning = {start.action_text(a) for a, score in enumerate(start.action_scores()) if score > 0}
    assert winning == {"a4", "b3", "c2", "d1"}
    for size in (3, 5):
        assert hex_game.load(size=size).initial_state().exact_score() == 1
    assert after(hex_game.load(size=5).initial_state(), "c3").exact_score() == -1
    assert after(hex_game.load(size=5).initial_state(), "a1").exact_score() == 1


def test_with_the_swap_rule_the_second_player_wins_and_swaps_winning_openings():
    start = hex_game.load(size=4, swap=1).initial_state()
    assert start.exact_score() == -1
    assert set(start.action_scores().tolist()) == {-1}
    centre, corner = after(start, "b3"), after(start, "a1")
    scores = dict(zip(map(centre.action_text, centre.legal_actions()), centre.action_scores().tolist(), strict=True))
    assert [move for move, score in scores.items() if score > 0] == ["swap"]
    assert after(corner, "swap").exact_score() == 1


def test_scores_are_offered_where_they_take_seconds():
    assert [hex_game.load(size=size).exact_score_from for size in (3, 5, 6, 7, 8, 11)] == [0, 0, 6, 19, None, None]


def test_the_positions_that_come_with_the_game_are_scored_truly():
    positions = own_positions(hex_game.load(size=5))
    assert len(positions) == 200
    for position in positions[::20]:
        assert position.state.action_scores().tolist() == position.scores.tolist()
    assert own_positions(hex_game.load()) == []
