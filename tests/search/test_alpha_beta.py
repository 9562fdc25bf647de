"""The Python face of alpha-beta search; its values are tested against minimax in tests/csrc/test_alpha_beta.cpp."""

import numpy as np
import pytest

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.errors import GameError
from rlplat.evaluation.arena import draw_openings
from rlplat.search.alpha_beta import WIN, alpha_beta

SMALL = connect_four.load(rows=4, columns=5)


def test_a_search_to_the_end_of_the_game_knows_who_wins_and_when():
    for state in draw_openings(SMALL, 20, 8, 0):
        (action,), (value,) = alpha_beta(SMALL, [state], depth=12)
        score = state.exact_score()
        assert np.sign(score) == (np.sign(value) if abs(value) > 1 else 0)
        if score != 0:
            # The winner's last stone leaves score - 1 of its 10: so many plies from here.
            winner = state.player if score > 0 else 1 - state.player
            own = (state.num_moves + (winner == 0)) // 2
            stones = 10 - (abs(score) - 1) - own
            assert WIN - abs(value) == 2 * stones - (winner == state.player)
        assert action in state.legal_actions()[state.action_scores() == score]


def test_one_ply_is_the_heuristic_of_the_best_action():
    state = SMALL.state_from_moves("33")
    guesses = []
    for action in state.legal_actions():
        after = state.copy()
        after.apply(int(action))
        guesses.append(-after.heuristic())
    (action,), (value,) = alpha_beta(SMALL, [state], depth=1)
    assert value == pytest.approx(max(guesses))
    assert guesses[action] == max(guesses)


def test_equal_seeds_choose_equally_among_equal_actions_and_others_do_not():
    states = [SMALL.initial_state()] * 40

    def choose(seed):
        return alpha_beta(SMALL, states, depth=1, seed=seed)[0].tolist()

    assert choose(3) == choose(3) != choose(4)


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(GameError, match="tictactoe has no heuristic, which alpha-beta needs"):
        alpha_beta(tictactoe.load(), [], depth=2)
    for depth in (0, 101):
        with pytest.raises(GameError, match=rf"depth {depth}; it must lie in 1 \.\. 100"):
            alpha_beta(SMALL, [], depth=depth)
    with pytest.raises(GameError, match="the game is over"):
        alpha_beta(SMALL, [SMALL.state_from_moves("1122334")], depth=2)
    with pytest.raises(ValueError, match="belongs to another game"):
        alpha_beta(SMALL, [connect_four.load().initial_state()], depth=2)
