"""Games of Python rules: they play as the same rules in C++ do, and rules that break the contract are named."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from examples.nim import Nim
from rlplat.data.replay import GameReplay
from rlplat.errors import GameError, RulesError
from rlplat.search import python_rules
from rlplat.search.analysis import analyse
from rlplat.search.game import GameDefinition
from rlplat.search.parameters import ROLLOUT, UNIFORM, SearchParams
from rlplat.search.python_game import PythonGame
from rlplat.search.self_play import SelfPlay, SelfPlayParams
from rlplat.testing import check_game

HEADER = Path(__file__).parents[2] / "examples" / "nim.hpp"
SEARCH = SearchParams(num_simulations=30, prove=False)


@pytest.fixture(scope="module")
def compiled():
    return GameDefinition("nim", HEADER).load()


def played(game, search=SEARCH, evaluator=UNIFORM, num_games=12, **settings):
    """Records of finished games of self-play."""
    self_play = SelfPlay(game, search, SelfPlayParams(num_searches=4, seed=3, **settings), evaluator=evaluator)
    records = []
    while sum(len(arrays["outcome"]) for arrays in records) < num_games:
        assert self_play.select(0, np.empty((4, *game.plane_shape), np.float32)) == 0
        records.append(self_play.take_finished())
    return {name: np.concatenate([arrays[name] for arrays in records]) for name in records[0]}


@pytest.mark.parametrize("evaluator", [UNIFORM, ROLLOUT])
def test_the_example_keeps_the_contract_and_ends_its_games(evaluator):
    game = Nim.load(heaps=2, stones=4)
    report = check_game(game)
    assert report.passed, report
    records = played(game, evaluator=evaluator)
    assert set(records["outcome"].tolist()) <= {-1.0, 1.0}


def test_two_forms_of_the_same_rules_show_the_same_positions(compiled):
    game, rng = Nim.load(), np.random.default_rng(0)
    for _ in range(5):
        one, other = game.initial_state(), compiled.initial_state()
        while not one.is_terminal:
            assert str(one) == str(other)
            assert one.player == other.player
            np.testing.assert_array_equal(one.planes(), other.planes())
            np.testing.assert_array_equal(one.legal_actions(), other.legal_actions())
            action = int(rng.choice(one.legal_actions()))
            assert one.action_text(action) == other.action_text(action)
            one.apply(action)
            other.apply(action)
        np.testing.assert_array_equal(one.returns, other.returns)


@pytest.mark.parametrize("threads", [1, 3])
def test_self_play_of_python_rules_equals_that_of_the_same_rules_in_cpp(compiled, threads):
    ours = played(Nim.load(), num_threads=threads, kept_visits=20, temperature_plies=4)
    theirs = played(compiled, num_threads=1, kept_visits=20, temperature_plies=4)
    for name in ("game_number", "action", "outcome", "root_value", "policy", "player", "num_legal"):
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_batches_drawn_from_a_replay_are_those_of_the_same_rules_in_cpp(compiled):
    batches = []
    for game in (Nim.load(), compiled):
        replay = GameReplay(game, 1000)
        replay.add(played(game))
        batches.append(replay.draw(64, np.random.default_rng(1)))
    for name in ("planes", "policy", "legal", "outcome"):
        np.testing.assert_array_equal(getattr(batches[0], name), getattr(batches[1], name), name)


def test_self_play_can_be_suspended_and_goes_on_in_another_game_object():
    params = SelfPlayParams(num_searches=4, seed=3, temperature_plies=4)
    buffer = np.empty((4, *Nim.load().plane_shape), np.float32)
    one = SelfPlay(Nim.load(), SEARCH, params, evaluator=UNIFORM)
    one.select(0, buffer)
    one.take_finished()
    other = SelfPlay(Nim.load(), SEARCH, params, evaluator=UNIFORM)
    other.resume(one.suspend())
    for self_play in (one, other):
        self_play.select(0, buffer)
    np.testing.assert_array_equal(one.take_finished()["action"], other.take_finished()["action"])


def test_what_is_remembered_is_bounded_and_forgetting_changes_nothing(monkeypatch):
    expected = played(Nim.load())
    monkeypatch.setattr(python_rules, "MOST_REMEMBERED", 20)
    rules = python_rules.PythonRules(Nim())
    monkeypatch.setattr("rlplat.search.python_game.PythonRules", lambda _: rules)
    np.testing.assert_array_equal(played(Nim.load())["action"], expected["action"])
    assert 0 < len(rules._newer) <= 20
    assert len(rules._older) <= 20


def test_a_game_goes_to_other_processes_by_its_class_and_parameters():
    game = pickle.loads(pickle.dumps(Nim.load(stones=3)))
    assert game.parameters == {"heaps": 3.0, "stones": 3.0}
    assert str(game.initial_state()) == "3 3 3  player 0"


class Raises(Nim):
    def apply(self, state, action):
        if sum(state[1]) < 8:
            raise IndexError("no such heap")
        return super().apply(state, action)


class OutOfRange(Nim):
    def legal_actions(self, state):
        return [*super().legal_actions(state), 15] if sum(state[1]) < 8 else super().legal_actions(state)


class Stuck(Nim):
    def legal_actions(self, state):
        return super().legal_actions(state) if sum(state[1]) >= 8 else []


class Endless(Nim):
    def apply(self, state, action):
        return 1 - state[0], state[1]


class ThirdPlayer(Nim):
    def player(self, state):
        return state[0] if sum(state[1]) >= 8 else 2


class LargeOutcome(Nim):
    def outcome(self, state):
        outcome = super().outcome(state)
        return outcome and 3 * outcome


class Pile:
    """A state that compares by content and can change."""

    def __init__(self, state):
        self.value = state

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        return self.value == other.value

    def __repr__(self):
        return f"Pile({self.value})"


class Mutates(Nim):
    """Returns a new state, but takes the stones from the old one, too."""

    def initial_state(self):
        return Pile(super().initial_state())

    def player(self, state):
        return state.value[0]

    def outcome(self, state):
        return super().outcome(state.value)

    def legal_actions(self, state):
        return super().legal_actions(state.value)

    def planes(self, state):
        return super().planes(state.value)

    def apply(self, state, action):
        state.value = super().apply(state.value, action)
        return Pile(state.value)


BROKEN = [
    (Raises, r"Raises: apply\(state, \d+\) raised IndexError: no such heap in .*test_python_game.py, line \d+ "
             r"\(after the actions \d+.*, in the state \(. ?, ?\(.*\)\)\)"),
    (OutOfRange, r"legal_actions\(state\) holds 15; actions are 0 to 14"),
    (Stuck, r"legal_actions\(state\) is empty, but outcome\(state\) is None"),
    (Endless, r"the game goes on beyond max_length 15"),
    (ThirdPlayer, r"player\(state\) is 2; it must be 0 or 1"),
    (LargeOutcome, r"outcome\(state\) is -?3; it must lie in \[-1, 1\]"),
    (Mutates, r"Mutates: apply\(state, \d+\) changed the state that it was given"),
]  # fmt: skip


@pytest.mark.parametrize("game, message", BROKEN, ids=[game.name for game, _ in BROKEN])
@pytest.mark.parametrize("threads", [1, 3])
def test_rules_that_break_the_contract_inside_the_search_end_it_with_their_fault(game, message, threads):
    with pytest.raises(RulesError, match=message):
        played(game.load(), num_threads=threads)


@pytest.mark.parametrize("game, message", BROKEN, ids=[game.name for game, _ in BROKEN])
def test_the_check_names_what_is_wrong_with_rules(game, message):
    report = check_game(game.load())
    with pytest.raises(AssertionError, match=message):
        assert report.passed, str(report)
    assert "left out until this is mended: sizes" in str(report)


class FlatPlanes(Nim):
    def planes(self, state):
        return super().planes(state).ravel()


class ListState(Nim):
    def initial_state(self):
        return list(super().initial_state())


class Anonymous(Nim):
    def initial_state(self):
        return object()


class NotAnOrder(Nim):
    def symmetries(self):
        return [(range(15), [0] * 15)]


class HalfSymmetry(Nim):
    def symmetries(self):
        return [range(15)]


class NoStart(Nim):
    def initial_state(self):
        raise RuntimeError("no stones")


class Unmade(Nim):
    def __init__(self, heaps: int = 3):
        super().__init__(heaps, {}["stones"])


class Unfinished(PythonGame):
    num_actions = 3


@pytest.mark.parametrize(
    "game, message",
    [
        (FlatPlanes, r"planes\(state\) have the shape \[15\], plane_shape is \[1, 3, 5\]"),
        (ListState, r"initial_state\(\) gave a state that can change .*tuples"),
        (Anonymous, r"gave a object, which is equal to nothing but itself.*tuples"),
        (NotAnOrder, r"actions of symmetry 1 are \[0, .*no order of 0 to 14"),
        (HalfSymmetry, r"symmetry 1 must be two orders, of cells and actions"),
        (NoStart, r"NoStart: initial_state\(\) raised RuntimeError: no stones in .* \(at the start\)"),
        (Unmade, r"Unmade: __init__ raised KeyError: 'stones' in .*test_python_game.py, line \d+"),
        (Unfinished, r"Unfinished in .*test_python_game.py must define apply, initial_state, legal_actions, outcome"),
    ],
)
def test_what_can_be_seen_at_once_is_refused_when_a_game_is_loaded(game, message):
    with pytest.raises(GameError, match=message):
        game.load()


def test_parameters_are_the_numbers_of_the_constructor():
    assert Nim.load(stones=7).plane_shape == (1, 3, 7)
    with pytest.raises(GameError, match=r"Nim has no parameter 'stone'; did you mean 'stones'"):
        Nim.load(stone=7)
    with pytest.raises(GameError, match=r"Nim: stones is 2.5; it must be a whole number"):
        Nim.load(stones=2.5)
    with pytest.raises(GameError, match=r"Nim refuses heaps=3, stones=30: heaps must be 1 to 9, stones 1 to 20"):
        Nim.load(stones=30)


def test_a_search_of_positions_from_another_load_of_the_game_is_the_same():
    one, other = Nim.load(), Nim.load()
    found = [analyse(one, [game.initial_state()], UNIFORM, SEARCH, seed=0).visit_counts for game in (one, other)]
    np.testing.assert_array_equal(*found)
