"""Searches of given positions: what holds of every search, tactics, and golden trees.

`RLPLAT_WRITE_GOLDEN=1 pytest tests/search/test_analysis.py` writes the golden files anew; read the diff.
"""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from networks import HashNetwork

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.errors import DivergedError, GameError
from rlplat.search.analysis import ROLLOUT, UNIFORM, SearchParams, analyse, refine
from rlplat.search.game import GameDefinition

CONNECT_FOUR = connect_four.load()
TICTACTOE = tictactoe.load()
GOLDEN = Path(__file__).parent / "golden"
LINES = ["", "4", "44", "4453", "123", "1122", "7654321", "444444"]


def states(game=CONNECT_FOUR, lines=LINES):
    return [game.state_from_moves(line) for line in lines]


def evaluators():
    return {"network": HashNetwork(7), "uniform": UNIFORM, "rollout": ROLLOUT}


def each_evaluator(function):
    return pytest.mark.parametrize("kind", ["network", "uniform", "rollout"])(function)


def assert_same(one, other):
    for name in ("visit_counts", "q_values", "priors", "values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.principal_variations == other.principal_variations


@each_evaluator
def test_visits_sum_to_the_simulations_and_lie_on_legal_actions(kind):
    found = analyse(CONNECT_FOUR, states(), evaluators()[kind], SearchParams(num_simulations=77), seed=1)
    assert found.visit_counts.sum(axis=1).tolist() == [77] * len(LINES)
    for row, state in enumerate(states()):
        illegal = np.setdiff1d(np.arange(7), state.legal_actions())
        assert (found.visit_counts[row, illegal] == 0).all()
        assert (found.q_values[row, illegal] == -1).all()
        assert (found.priors[row, illegal] == 0).all()
        assert found.priors[row].sum() == pytest.approx(1, abs=1e-5)
    assert (np.abs(found.values) <= 1).all()


@each_evaluator
def test_results_do_not_depend_on_the_number_of_threads(kind):
    one, *others = (
        analyse(
            CONNECT_FOUR, states(), evaluators()[kind], SearchParams(num_simulations=60), seed=3, num_threads=threads
        )
        for threads in (1, 2, 3)
    )
    for other in others:
        assert_same(one, other)


@pytest.mark.parametrize("kind", ["network", "uniform"])
def test_a_batch_of_positions_equals_single_searches(kind):
    params = SearchParams(num_simulations=60)
    together = analyse(CONNECT_FOUR, states(), evaluators()[kind], params, seed=3)
    for row, state in enumerate(states()):
        alone = analyse(CONNECT_FOUR, [state], evaluators()[kind], params, seed=99)
        np.testing.assert_array_equal(together.visit_counts[row], alone.visit_counts[0])
        np.testing.assert_array_equal(together.q_values[row], alone.q_values[0])
        assert together.values[row] == alone.values[0]
        assert together.principal_variations[row] == alone.principal_variations[0]


@pytest.mark.parametrize("kind", ["network", "rollout"])
def test_the_seed_of_a_position_is_its_place_whatever_stands_beside_it(kind):
    params = SearchParams(num_simulations=60, noise_fraction=0.25)
    together = analyse(CONNECT_FOUR, states(), evaluators()[kind], params, seed=3)
    swapped = analyse(CONNECT_FOUR, [*states()[:3], *states()[:5][::-1]], evaluators()[kind], params, seed=3)
    np.testing.assert_array_equal(together.visit_counts[:3], swapped.visit_counts[:3])
    other = analyse(CONNECT_FOUR, states(), evaluators()[kind], params, seed=4)
    assert (together.visit_counts != other.visit_counts).any(axis=1).all()


@pytest.mark.parametrize("batch_size", [1, 3, 8, 50])
def test_the_width_of_the_networks_batch_changes_nothing(batch_size):
    params = SearchParams(num_simulations=60)
    network = HashNetwork(7, batch_size)
    assert_same(
        analyse(CONNECT_FOUR, states(), HashNetwork(7), params, seed=1),
        analyse(CONNECT_FOUR, states(), network, params, seed=1),
    )


def test_no_simulations_give_what_the_network_says():
    network = HashNetwork(7)
    found = analyse(CONNECT_FOUR, states(), network, SearchParams(num_simulations=0), seed=1)
    logits, values = network.evaluate(np.stack([state.planes() for state in states()]))
    np.testing.assert_array_equal(found.values, values)
    for row, state in enumerate(states()):
        legal = state.legal_actions()
        expected = np.exp(logits[row, legal]) / np.exp(logits[row, legal]).sum()
        np.testing.assert_allclose(found.priors[row, legal], expected, atol=1e-6)
        assert found.best_actions[row] == legal[np.argmax(expected)]
    assert found.principal_variations == [[]] * len(LINES)


def test_values_are_from_the_view_of_the_player_to_move():
    params = SearchParams(num_simulations=400)
    won = CONNECT_FOUR.state_from_moves("121212")  # to move: wins with 1
    lost = CONNECT_FOUR.state_from_moves("44553")  # the first player has 3 4 5 with both ends open
    found = analyse(CONNECT_FOUR, [won, lost], UNIFORM, params, seed=1)
    assert found.values[0] > 0.8
    assert found.q_values[0, 0] == 1.0
    assert found.values[1] < -0.3


# Position, the moves that are right, and simulations that find one of them with every seed.
TACTICS = {
    "connect four, win upwards": (CONNECT_FOUR, "414141", {3}, 200),
    "connect four, block upwards": (CONNECT_FOUR, "41414", {3}, 800),
    "connect four, win along the row": (CONNECT_FOUR, "112233", {3}, 200),
    "connect four, block along the row": (CONNECT_FOUR, "11223", {3}, 800),
    "connect four, second player wins rather than blocks": (CONNECT_FOUR, "1212721", {1}, 200),
    "connect four, win on the diagonal": (CONNECT_FOUR, "1223733444", {3}, 200),
    "connect four, open three": (CONNECT_FOUR, "4455", {2, 5}, 800),
    "tic-tac-toe, win rather than block": (TICTACTOE, "1425", {2}, 200),
    "tic-tac-toe, block": (TICTACTOE, "152", {2}, 800),
    "tic-tac-toe, second player wins": (TICTACTOE, "14258", {5}, 200),
}


@pytest.mark.parametrize("name", list(TACTICS))
def test_rollouts_find_the_move(name):
    game, moves, best, num_simulations = TACTICS[name]
    found = analyse(game, [game.state_from_moves(moves)] * 16, ROLLOUT, SearchParams(num_simulations), seed=5)
    assert set(found.best_actions.tolist()) <= best


@each_evaluator
def test_principal_variations_are_legal_and_follow_the_visits(kind):
    found = analyse(CONNECT_FOUR, states(), evaluators()[kind], SearchParams(num_simulations=300), seed=2)
    for row, (state, line) in enumerate(zip(states(), found.principal_variations, strict=True)):
        assert len(line) >= 2
        assert found.visit_counts[row, line[0]] == found.visit_counts[row].max()
        for action in line:
            state.apply(action)  # GameError if it is not legal


def test_best_actions_break_ties_by_q_value_then_by_the_lower_action():
    params = SearchParams(num_simulations=9, fpu="constant", fpu_value=0.0)
    found = analyse(TICTACTOE, [TICTACTOE.initial_state()], UNIFORM, params, seed=0)
    assert found.visit_counts.tolist() == [[1] * 9]
    assert found.best_actions.tolist() == [0]


def test_a_game_whose_rules_look_back_is_searched_with_its_past():
    for name in ("walk_all", "walk_three"):
        header = Path(__file__).parents[1] / "csrc" / "games" / f"{name}.hpp"
        game = GameDefinition(name, header).load(cells=12)
        position = game.state_from_moves([0, 1, 2])
        for evaluator in (HashNetwork(5), ROLLOUT):
            found = analyse(game, [position, game.initial_state()], evaluator, SearchParams(300), seed=1)
            assert found.visit_counts.sum(axis=1).tolist() == [300, 300]


def test_a_finished_position_and_one_of_another_game_are_refused():
    with pytest.raises(GameError, match="nothing to analyse"):
        analyse(CONNECT_FOUR, [CONNECT_FOUR.state_from_moves("1122334")], UNIFORM, SearchParams(5), seed=0)
    small = connect_four.load(rows=4, columns=4)
    for game, state in ((CONNECT_FOUR, TICTACTOE.initial_state()), (CONNECT_FOUR, small.initial_state())):
        with pytest.raises((GameError, ValueError), match="another game"):
            analyse(game, [state], UNIFORM, SearchParams(5), seed=0)


def test_a_network_that_is_not_finite_is_told_with_the_position():
    class Broken(HashNetwork):
        def evaluate(self, observations):
            logits, values = super().evaluate(observations)
            values[4] = np.nan
            return logits, values

    with pytest.raises(DivergedError, match=r"^position 4: .*value nan.*--init-from"):
        analyse(CONNECT_FOUR, states(), Broken(7), SearchParams(5), seed=0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"num_simulations": -1}, "num_simulations is -1; it must be a whole number from 0 to 100,000,000"),
        ({"num_simulations": 10**9}, "num_simulations is 1000000000; it must be a whole number from 0 to 100,000,000"),
        ({"num_simulations": 2.5}, "num_simulations is 2.5; it must be a whole number"),
        ({"num_simulations": True}, "num_simulations is True; it must be a whole number"),
        ({"c_base": 0.0}, "c_base is 0.0; it must be finite and > 0"),
        ({"c_init": -0.1}, "c_init is -0.1; it must be finite and >= 0"),
        ({"c_init": float("nan")}, "c_init is nan; it must be finite"),
        ({"fpu": "constnt"}, "fpu is 'constnt'; it must be constant or reduction"),
        ({"fpu_value": 3.0}, "fpu_value is 3.0; it must be from -1 to 2"),
        ({"dirichlet_alpha": 0.0}, "dirichlet_alpha is 0.0; it must be finite and > 0"),
        ({"noise_fraction": 1.5}, "noise_fraction is 1.5; it must be from 0 to 1"),
    ],
)
def test_parameters_out_of_range_are_refused_in_words(wrong, told):
    with pytest.raises(ValueError, match=told.replace(".", r"\.").replace("[", r"\[")):
        SearchParams(**{"num_simulations": 5, **wrong})


def test_the_ends_of_the_ranges_are_allowed():
    for ends in ({"num_simulations": 0, "c_init": 0, "fpu_value": -1, "noise_fraction": 0}, {"noise_fraction": 1}):
        assert SearchParams(**{"num_simulations": np.int64(3), **ends}).core()


def test_a_position_of_a_game_loaded_a_second_time_is_welcome():
    state = connect_four.load().state_from_moves("44")
    found = analyse(CONNECT_FOUR, [state], UNIFORM, SearchParams(20), seed=0)
    assert found.visit_counts.sum() == 20


def test_no_positions_give_an_empty_analysis():
    found = analyse(CONNECT_FOUR, [], UNIFORM, SearchParams(5), seed=0)
    assert found.visit_counts.shape == (0, 7)
    assert found.principal_variations == []


class Broken(HashNetwork):
    """Gives arrays that `spoil` has changed."""

    def __init__(self, spoil):
        super().__init__(7)
        self.spoil = spoil

    def evaluate(self, observations):
        return self.spoil(*super().evaluate(observations))


@pytest.mark.parametrize(
    "spoil, error, text",
    [
        (lambda logits, values: (logits[:, :6].copy(), values), ValueError, "logits: axis 1 has length 6, expected 7"),
        (lambda logits, values: (logits[:2], values), ValueError, "logits: axis 0 has length 2, expected at least 8"),
        (lambda logits, values: (logits, values[:2]), ValueError, "values: axis 0 has length 2, expected at least 8"),
        (lambda logits, values: (logits.astype(np.float64), values), TypeError, "incompatible"),
    ],
)
def test_evaluations_of_a_wrong_shape_or_type_are_refused(spoil, error, text):
    with pytest.raises(error, match=text):
        analyse(CONNECT_FOUR, states(), Broken(spoil), SearchParams(5), seed=0)


def golden_tree(game, moves, evaluator):
    params = SearchParams(num_simulations=400)
    found = analyse(game, [game.state_from_moves(moves)], evaluator, params, seed=7)
    return {
        "visit_counts": found.visit_counts[0].tolist(),
        "q_values": [round(float(q), 6) for q in found.q_values[0]],
        "value": round(float(found.values[0]), 6),
        "principal_variation": found.principal_variations[0],
    }


@pytest.mark.parametrize("evaluator", [UNIFORM, ROLLOUT], ids=["uniform", "rollout"])
@pytest.mark.parametrize("name, moves", [("connect_four", "4453"), ("tictactoe", "15")])
def test_a_search_gives_the_golden_tree(name, moves, evaluator):
    game = {"connect_four": CONNECT_FOUR, "tictactoe": TICTACTOE}[name]
    path = GOLDEN / f"{game.name}_{evaluator.value}.json"
    found = golden_tree(game, moves, evaluator)
    if os.environ.get("RLPLAT_WRITE_GOLDEN"):
        path.write_text(json.dumps({"moves": moves, **found}, indent=1) + "\n")
    known = json.loads(path.read_text())
    assert known.pop("moves") == moves
    for name in ("q_values", "value"):
        assert found.pop(name) == pytest.approx(known.pop(name), abs=2e-6)
    assert found == known, "the search changed? RLPLAT_WRITE_GOLDEN=1 writes the golden trees anew"


@pytest.mark.parametrize("selection", ["puct", "gumbel"])
@pytest.mark.parametrize("leaves", [2, 7, 16])
def test_leaves_that_are_evaluated_together_make_the_same_number_of_visits_in_fewer_batches(leaves, selection):
    network = HashNetwork(7, batch_size=16)
    params = SearchParams(num_simulations=101, selection=selection)
    found = analyse(CONNECT_FOUR, states(lines=["4453"]), network, params, seed=0, leaves_per_search=leaves)
    assert found.visit_counts.sum() == found.num_simulations == 101
    assert network.num_calls < 1.6 * 101 / leaves + 3


def test_leaves_fill_what_positions_leave_free_of_a_batch():
    network, plain = HashNetwork(7, batch_size=8), HashNetwork(7, batch_size=8)
    params = SearchParams(num_simulations=40)
    one = analyse(CONNECT_FOUR, states(), network, params, seed=0, leaves_per_search=16)  # as many positions as rows
    assert_same(one, analyse(CONNECT_FOUR, states(), plain, params, seed=0))


def test_leaves_that_wait_are_seen_with_their_past():
    game = GameDefinition("walk_all", Path(__file__).parents[1] / "csrc" / "games" / "walk_all.hpp").load(cells=12)
    start = game.state_from_moves([0, 1, 2])
    seen = set()

    class Watching(HashNetwork):
        def evaluate(self, observations):
            seen.update(row.tobytes() for row in observations)
            return super().evaluate(observations)

    network = Watching(game.num_actions, batch_size=8)
    analyse(game, [start], network, SearchParams(num_simulations=80), seed=0, leaves_per_search=8)
    reached, layer = {start.planes().tobytes()}, [start]
    for _ in range(8):
        layer = [after(state, action) for state in layer if not state.is_terminal for action in state.legal_actions()]
        layer = list({state.planes().tobytes(): state for state in layer if not state.is_terminal}.values())
        reached |= {state.planes().tobytes() for state in layer}
    assert len(seen) > 30
    assert seen <= reached


def after(state, action):
    state = state.copy()
    state.apply(int(action))
    return state


def test_a_search_can_be_watched_and_ended():
    network = HashNetwork(7)
    params = SearchParams(num_simulations=100_000)
    state = CONNECT_FOUR.state_from_moves("4453")
    found = list(refine(CONNECT_FOUR, state, network, params, seed=0, until=lambda: network.num_calls >= 300))
    counts = [each.num_simulations for each in found]
    assert all(2 * one <= other for one, other in itertools.pairwise(counts[:-1]))
    assert 300 <= counts[-1] < 500
    whole = analyse(CONNECT_FOUR, [state], network, SearchParams(num_simulations=counts[-1]), seed=0)
    assert_same(found[-1], whole)
    shown = analyse(CONNECT_FOUR, [state], network, SearchParams(num_simulations=counts[0]), seed=0)
    assert_same(found[0], shown)
