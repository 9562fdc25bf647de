"""Search by improved policies, held against the authors' library (golden/mctx_gumbel.py) and by its meaning."""

import json
from pathlib import Path

import numpy as np
import pytest
from networks import HashNetwork

from envs.games.connect_four import connect_four
from rlplat.search.analysis import SearchParams, analyse
from rlplat.search.game import GameDefinition
from rlplat.search.self_play import SelfPlay, SelfPlayParams

HERE = Path(__file__).parent
LADDER = GameDefinition("ladder", HERE.parent / "csrc" / "games" / "ladder.hpp")
TREES = json.loads((HERE / "golden" / "mctx_gumbel.json").read_text())
CONNECT_FOUR = connect_four.load()


class Table:
    """The random logits and values of one of mctx's trees, by ply and sum, which are the planes of the ladder."""

    batch_size = 1

    def __init__(self, seed, width, length):
        random = np.random.RandomState(seed)
        sums = (width - 1) * length + 1
        self.logits = random.normal(0, 1.5, (length, sums, width)).astype(np.float32)
        self.values = random.uniform(-1, 1, (length, sums)).astype(np.float32)

    def evaluate(self, observations):
        ply, total = (observations.reshape(len(observations), 2)[:, i].astype(int) for i in (0, 1))
        return self.logits[ply, total], self.values[ply, total]


def gumbel(num_simulations, **changes):
    return SearchParams(num_simulations=num_simulations, selection="gumbel", **changes)


def search(tree, **changes):
    game = LADDER.load(width=tree["width"], length=tree["length"], turns=tree["turns"])
    table = Table(tree["seed"], tree["width"], tree["length"])
    params = gumbel(tree["simulations"], gumbel_actions=tree["considered"], **changes)
    return analyse(game, [game.initial_state()], table, params, seed=0)


def test_visits_policies_and_moves_are_those_of_mctx_in_random_trees():
    assert len(TREES) >= 200
    for tree in TREES:
        found = search(tree)
        assert found.visit_counts[0].tolist() == tree["visits"], tree
        np.testing.assert_allclose(found.policies[0], tree["policy"], atol=2e-5)
        assert found.best_actions[0] == tree["action"], tree


def test_confidence_bounds_change_no_move_of_sequential_halving():
    for tree in TREES:
        assert search(tree, lcb_deviations=5.0).best_actions[0] == tree["action"], tree


def test_every_simulation_is_a_visit_of_a_legal_action_and_few_actions_are_tried():
    states = [CONNECT_FOUR.state_from_moves(line) for line in ("", "4453", "444444", "7654321")]
    found = analyse(CONNECT_FOUR, states, HashNetwork(7), gumbel(32, gumbel_actions=4), seed=0)
    assert found.visit_counts.sum(axis=1).tolist() == [32] * len(states)
    np.testing.assert_allclose(found.policies.sum(axis=1), 1, atol=1e-5)
    for row, state in enumerate(states):
        assert np.count_nonzero(found.visit_counts[row]) == 4
        illegal = np.setdiff1d(np.arange(7), state.legal_actions())
        assert (found.policies[row, illegal] == 0).all()


class Constant(HashNetwork):
    """Priors of its own, and the same value everywhere, which is nobody's."""

    def evaluate(self, observations):
        logits, values = super().evaluate(observations)
        return logits, np.zeros_like(values)


def test_where_all_actions_are_worth_the_same_the_improved_policy_is_the_prior():
    found = analyse(CONNECT_FOUR, [CONNECT_FOUR.initial_state()], Constant(7), gumbel(20), seed=0)
    np.testing.assert_allclose(found.policies, found.priors, atol=1e-5)


def test_proofs_and_improved_policies_agree():
    won, must_block = (CONNECT_FOUR.state_from_moves(line) for line in ("112233", "1122337"))
    found = analyse(CONNECT_FOUR, [won, must_block], HashNetwork(7), gumbel(64, prove=True), seed=0)
    assert found.proven[0] and found.values[0] == 1
    assert found.policies[0].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert found.best_actions.tolist() == [3, 3]


def self_play(network, **changes):
    params = SelfPlayParams(num_searches=64, seed=3, **changes)
    play = SelfPlay(CONNECT_FOUR, gumbel(2, gumbel_actions=1, gumbel_scale=1.0), params)
    observations = np.zeros((64, *CONNECT_FOUR.plane_shape), np.float32)
    first = []
    while len(first) < 3000:
        rows = play.select(0, observations)
        play.backup(0, *network.evaluate(observations[:rows]))
        records = play.take_finished()
        starts = np.cumsum(records["num_positions"]) - records["num_positions"]
        first += records["action"][starts].tolist()
    return np.bincount(first, minlength=7) / len(first)


def test_noise_draws_the_only_action_tried_from_the_prior():
    """Gumbel-max trick: the highest log prior with noise is a draw from the prior (section 3 of the paper)."""
    network = HashNetwork(7, batch_size=64)
    prior = analyse(CONNECT_FOUR, [CONNECT_FOUR.initial_state()], network, SearchParams(0), seed=0).priors[0]
    shares = self_play(network)
    deviation = np.sqrt(prior * (1 - prior) / 3000)
    assert (np.abs(shares - prior) < 4 * deviation).all(), (shares, prior)


def test_kept_subtrees_are_refused():
    with pytest.raises(ValueError, match="starts every search afresh"):
        SelfPlay(CONNECT_FOUR, gumbel(2), SelfPlayParams(num_searches=2, kept_visits=8))


@pytest.mark.parametrize("changes", [{"selection": "ucb"}, {"gumbel_actions": 0}, {"c_scale": -1}, {"c_visit": -1}])
def test_values_out_of_range_are_named(changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))} is"):
        SearchParams(num_simulations=2, **changes)
