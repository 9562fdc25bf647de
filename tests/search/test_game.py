"""The Python face of a game: states, moves as text, planes, and what it refuses."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat import _core
from rlplat.errors import GameError
from rlplat.search.game import GameDefinition

GAMES = Path(__file__).parents[1] / "csrc" / "games"
CONNECT_FOUR = connect_four.load()
TICTACTOE = tictactoe.load()


def test_a_connect_four_game_goes_as_its_moves_say():
    state = CONNECT_FOUR.state_from_moves("4453")
    assert state.actions == [3, 3, 4, 2]
    assert (state.player, state.num_moves, state.is_terminal) == (0, 4, False)
    assert state.legal_actions().tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert str(state).splitlines()[-3:] == [". . . O . . .", ". . O X X . .", "1 2 3 4 5 6 7"]


@pytest.mark.parametrize("moves", ["4453", "4 4 5 3", "4,4,5,3", [3, 3, 4, 2], np.array([3, 3, 4, 2])])
def test_moves_are_read_in_every_form(moves):
    assert CONNECT_FOUR.state_from_moves(moves).actions == [3, 3, 4, 2]


def test_no_moves_are_the_initial_state():
    for moves in ("", " ", []):
        assert CONNECT_FOUR.state_from_moves(moves).num_moves == 0


@pytest.mark.parametrize("width, moves", [(7, [3, 6]), (12, [11]), (12, [1, 2]), (12, [10, 11, 0]), (12, [])])
def test_the_text_of_moves_leads_to_the_same_moves(width, moves):
    game = GameDefinition("ladder", GAMES / "ladder.hpp").load(width=width)
    text = game.state_from_moves(moves).moves_text()
    assert game.state_from_moves(text).actions == moves


def test_full_columns_are_not_legal_and_legal_actions_ascend():
    state = CONNECT_FOUR.state_from_moves("444444")
    assert state.legal_actions().tolist() == [0, 1, 2, 4, 5, 6]
    assert state.legal_actions().dtype == np.int32


def test_an_illegal_move_is_refused_with_the_legal_ones_and_changes_nothing():
    state = CONNECT_FOUR.state_from_moves("444444")
    with pytest.raises(GameError, match=r"action 3 is not legal here; legal are 1 \(0\), 2 \(1\)"):
        state.apply(3)
    for action in (-1, 7, 1 << 40):
        with pytest.raises(GameError, match="not legal"):
            state.apply(action)
    with pytest.raises(GameError, match="'9' is no legal move here; legal are 1, 2, 3, 5, 6, 7"):
        state.parse_action("9")
    assert state.num_moves == 6
    with pytest.raises(GameError, match="'4' is no legal move"):
        CONNECT_FOUR.state_from_moves("4444444")


def test_a_finished_game_has_returns_and_no_moves():
    state = CONNECT_FOUR.state_from_moves("1122334")
    assert state.is_terminal
    assert state.returns.tolist() == [1.0, -1.0]
    assert state.legal_actions().tolist() == []
    with pytest.raises(GameError, match="the game is over"):
        state.apply(0)
    with pytest.raises(GameError, match="the game is over"):
        state.parse_action("1")
    with pytest.raises(GameError, match="not over"):
        CONNECT_FOUR.initial_state().returns  # noqa: B018


def test_the_second_player_can_win_and_nobody_can():
    lost = TICTACTOE.state_from_moves("142596")
    assert lost.returns.tolist() == [-1.0, 1.0]
    draw = TICTACTOE.state_from_moves("513728469")
    assert draw.returns.tolist() == [0.0, 0.0]


def test_a_copy_goes_its_own_way():
    state = CONNECT_FOUR.state_from_moves("44")
    copy = state.copy()
    copy.apply(0)
    assert state.actions == [3, 3]
    assert copy.actions == [3, 3, 0]


def test_planes_are_from_the_view_of_the_player_to_move():
    state = CONNECT_FOUR.state_from_moves("1")
    planes = state.planes()
    assert planes.shape == CONNECT_FOUR.plane_shape == (2, 6, 7)
    assert planes.sum() == 1
    assert planes[1, 5, 0] == 1  # the opponent's stone, the bottom row last
    state.apply(6)
    assert state.planes()[0, 5, 0] == 1
    assert state.planes()[1, 5, 6] == 1


@pytest.mark.parametrize("name", ["connect_four", "tictactoe"])
def test_the_mirrored_game_has_mirrored_planes_and_moves(name):
    game, mirrored = {
        "connect_four": (CONNECT_FOUR, lambda a: 6 - a),
        "tictactoe": (TICTACTOE, lambda a: a // 3 * 3 + 2 - a % 3),
    }[name]
    moves = [0, 1, 4, 3]
    cells, actions = game.symmetry(1)
    planes = game.state_from_moves(moves).planes().reshape(2, -1)
    other = game.state_from_moves([mirrored(a) for a in moves]).planes().reshape(2, -1)
    np.testing.assert_array_equal(planes[:, cells], other)
    assert actions.tolist() == [mirrored(a) for a in range(game.num_actions)]


def test_symmetry_zero_is_the_identity_and_an_unknown_one_is_refused():
    cells, actions = TICTACTOE.symmetry(0)
    assert cells.tolist() == actions.tolist() == list(range(9))
    for index in (-1, 8):
        with pytest.raises(IndexError):
            TICTACTOE.symmetry(index)


def test_equal_positions_have_equal_hashes_and_others_do_not():
    one, other = CONNECT_FOUR.state_from_moves("1234"), CONNECT_FOUR.state_from_moves("3214")
    assert one.hash == other.hash
    assert one.evaluation_key == other.evaluation_key
    hashes = {CONNECT_FOUR.state_from_moves([a, b, c]).hash for a in range(7) for b in range(7) for c in range(7)}
    # First and third stone swap where nothing lies between them.
    boards = {str(CONNECT_FOUR.state_from_moves([a, b, c])) for a in range(7) for b in range(7) for c in range(7)}
    assert len(hashes) == len(boards)


def test_a_game_survives_pickling_with_its_parameters():
    game = connect_four.load(rows=5, columns=4, line=3)
    copy = pickle.loads(pickle.dumps(game))
    assert (copy.name, copy.parameters, copy.plane_shape) == (game.name, game.parameters, (2, 5, 4))
    assert copy.spec == game.spec


def test_parameters_are_checked():
    with pytest.raises(GameError, match="no parameter 'colums'; did you mean 'columns'"):
        connect_four.load(colums=7)
    with pytest.raises(GameError, match="no parameter 'zzz'; it has rows, columns, line"):
        connect_four.load(zzz=7)
    with pytest.raises(GameError, match="no parameter 'rows'; it has none"):
        tictactoe.load(rows=3)
    with pytest.raises(GameError, match="rows is 9; it must be a whole number from 1 to 8"):
        connect_four.load(rows=9)
    for value in (float("nan"), float("inf"), 6.5, True, "6", None):
        with pytest.raises(GameError, match=r"rows is .*; it must be a whole number from 1 to 8"):
            connect_four.load(rows=value)
    with pytest.raises(GameError, match="refuses rows=3, columns=3, line=4: line is longer"):
        connect_four.load(rows=3, columns=3)
    assert connect_four.load(rows=5).parameters == {"rows": 5.0, "columns": 7.0, "line": 4.0}


def test_an_array_of_another_type_is_refused_rather_than_filled_as_a_copy():
    position = CONNECT_FOUR.initial_state().position
    with pytest.raises(TypeError):
        position.encode(np.zeros((2, 6, 7), np.float64))
    with pytest.raises(TypeError):
        CONNECT_FOUR.core.symmetry(1, np.zeros(42, np.int64), np.zeros(7, np.int64))
    with pytest.raises(ValueError, match="planes: axis 1 has length 7, expected 6"):
        position.encode(np.zeros((2, 7, 6), np.float32))


def test_rollouts_are_results_of_the_game_and_repeat_with_their_seed():
    state = CONNECT_FOUR.state_from_moves("44")
    results = [state.position.rollout(seed) for seed in range(2000)]
    assert set(results) == {-1.0, 0.0, 1.0}
    assert results == [state.position.rollout(seed) for seed in range(2000)]
    assert sum(results) > 0  # moving first is worth something even in random play
    assert CONNECT_FOUR.state_from_moves("1122334").position.rollout(0) == 1.0  # over already


def test_a_random_game_of_connect_four_is_uniform_over_the_open_columns():
    """The fast rollout against one made of legal moves, from a position with full columns: equal shares of results."""
    state = CONNECT_FOUR.state_from_moves("1111112222223737")
    fast = np.array([state.position.rollout(seed) for seed in range(4000)])
    rng, slow = np.random.default_rng(0), []
    for _ in range(1500):
        copy = state.position.copy()
        while copy.returns is None:
            copy.apply(int(rng.choice(copy.legal_actions())))
        slow.append(copy.returns[0])
    for result in (-1.0, 0.0, 1.0):
        assert np.mean(fast == result) == pytest.approx(np.mean(np.array(slow) == result), abs=0.06)


def test_the_core_refuses_what_is_no_library():
    with pytest.raises(RuntimeError, match=r"ladder\.hpp"):
        _core.Game(str(GAMES / "ladder.hpp"), [])


def test_a_heuristic_is_a_guess_from_the_view_of_the_player_to_move():
    guesses = [CONNECT_FOUR.state_from_moves(moves).heuristic() for moves in ("", "4", "4117", "41171", "1122334")]
    assert guesses[0] == 0.0
    assert guesses[1] < 0.0  # the opponent holds the middle
    assert guesses[2] > 0.0
    assert guesses[4] == -1.0  # over: the result itself
    assert all(-1.0 <= guess <= 1.0 for guess in guesses)


def test_a_game_without_a_slot_says_how_it_could_have_it():
    state = GameDefinition("ladder", GAMES / "ladder.hpp").load().initial_state()
    assert not state.game.has_heuristic
    with pytest.raises(GameError, match=r"ladder has no heuristic; its header may define heuristic\(state\)"):
        state.heuristic()
    with pytest.raises(GameError, match=r"ladder with .* has no exact scores"):
        state.exact_score()
