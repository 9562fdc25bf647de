"""The same few positions are drawn at every evaluation, with what network and search think of them."""

import numpy as np

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.evaluation import samples
from rlplat.evaluation.positions import own_positions
from rlplat.evaluation.samples import draw_samples, random_states
from rlplat.search.analysis import UNIFORM, SearchParams, analyse

FOUR, TICTACTOE = connect_four.load(), tictactoe.load()


class Analyst:
    def __init__(self, game, num_simulations):
        self.game, self.params = game, SearchParams(num_simulations=num_simulations, prove=True)

    def analyse(self, states):
        return analyse(self.game, states, UNIFORM, self.params, seed=0)


def drawn(monkeypatch, game, positions):
    calls = []

    def draw(state, opinions, *, right_actions):
        calls.append((state, opinions, right_actions))
        return np.zeros((1, 1, 3), np.uint8)

    monkeypatch.setattr(samples, "draw_position", draw)
    pictures = draw_samples(game, lambda count: Analyst(game, count), positions, num_simulations=50)
    return list(pictures), calls


def test_a_game_with_exact_scores_shows_hard_positions_and_the_moves_that_keep_the_result(monkeypatch):
    names, calls = drawn(monkeypatch, FOUR, own_positions(FOUR))
    assert names == ["0 start", "1 early", "2 middle", "3 late"]
    assert calls[0][0].num_moves == 0 and not calls[0][2]
    for state, _, right in calls[1:]:
        assert 0 < len(right) < len(state.legal_actions())


def test_the_policy_is_the_prior_alone_and_the_visits_after_the_search(monkeypatch):
    _, calls = drawn(monkeypatch, TICTACTOE, [])
    for state, (network, search), _ in calls:
        legal = state.legal_actions()
        assert np.allclose(network.policy[legal], 1 / len(legal))
        assert np.isclose(search.policy.sum(), 1.0) and -1.0 <= search.value <= 1.0
        assert (network.title, search.title) == ("network alone", "after 50 simulations")
    _, (network, search), _ = calls[0]
    assert not np.allclose(network.policy, search.policy)


def test_random_positions_are_the_same_each_time_and_leave_a_choice():
    first, second = random_states(TICTACTOE, 3), random_states(TICTACTOE, 3)
    assert [state.actions for state in first] == [state.actions for state in second]
    assert all(len(state.legal_actions()) > 1 for state in first)
    assert sorted(state.num_moves for state in first) == [state.num_moves for state in first]


def test_policies_that_say_nothing_are_not_drawn():
    assert draw_samples(TICTACTOE, lambda count: object(), [], num_simulations=None) == {}
