"""Training batches: a drawn position is the stored one, under the symmetry asked for."""

from pathlib import Path

import numpy as np
import pytest

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat import _core
from rlplat.search.game import GameDefinition

GAMES = {
    "connect_four": connect_four.load(),
    "tictactoe": tictactoe.load(),
    **{
        name: GameDefinition(name, Path(__file__).parents[1] / "csrc" / "games" / f"{name}.hpp").load(cells=14)
        for name in ("walk_all", "walk_three")
    },
}


class Rings:
    """One game stored by hand into rings, from given places on."""

    def __init__(self, game, capacity, first_row, policy_capacity, first_entry, seed):
        rng = np.random.default_rng(seed)
        self.game = game
        self.states = np.full((capacity, game.state_size), 0xAB, np.uint8)
        self.policy = np.full(policy_capacity, 7, np.uint16)
        self.positions, self.rows, self.offsets, self.shares = [], [], [], []
        state, entry = game.initial_state(), first_entry
        while not state.is_terminal and len(self.positions) < capacity:
            legal = state.legal_actions()
            if len(self.positions) + 1 == capacity and entry + len(legal) - first_entry > policy_capacity:
                break
            row = (first_row + len(self.positions)) % capacity
            self.states[row] = np.frombuffer(state.position.state, np.uint8)
            shares = rng.integers(1, 9999, len(legal)).astype(np.uint16)
            if entry + len(legal) - first_entry > policy_capacity:
                break
            self.policy[(entry + np.arange(len(legal))) % policy_capacity] = shares
            self.positions.append(state.copy())
            self.rows.append(row)
            self.offsets.append(entry % policy_capacity)
            self.shares.append(shares)
            entry += len(legal)
            state.apply(int(rng.choice(legal)))

    def arguments(self, symmetry):
        """Arguments of `draw_batch` by name, for every stored position under one symmetry."""
        batch, game = len(self.positions), self.game
        return {
            "game": game.core,
            "states": self.states,
            "rows": np.array(self.rows, np.int64),
            "plies": np.arange(batch, dtype=np.int32),
            "policy": self.policy,
            "policy_offsets": np.array(self.offsets, np.int64),
            "num_legal": np.array([len(shares) for shares in self.shares], np.int32),
            "symmetries": np.full(batch, symmetry, np.int32),
            "planes_out": np.full((batch, *game.plane_shape), np.nan, np.float32),
            "policy_out": np.full((batch, game.num_actions), np.nan, np.float32),
            "legal_out": np.ones((batch, game.num_actions), np.bool_),
        }


def stored(name="connect_four", first_row=0, first_entry=0, capacity=50, policy_capacity=350, seed=0):
    return Rings(GAMES[name], capacity, first_row, policy_capacity, first_entry, seed)


def check(rings, symmetry):
    arguments = rings.arguments(symmetry)
    _core.draw_batch(**arguments)
    cells, actions = rings.game.symmetry(symmetry)
    for b, (state, shares) in enumerate(zip(rings.positions, rings.shares, strict=True)):
        planes = state.planes()
        turned = planes.reshape(len(planes), -1)[:, cells].reshape(planes.shape)
        np.testing.assert_array_equal(arguments["planes_out"][b], turned)
        policy = np.zeros(rings.game.num_actions)
        policy[state.legal_actions()] = shares / shares.sum()
        np.testing.assert_allclose(arguments["policy_out"][b], policy[actions], atol=1e-6)
        legal = np.zeros(rings.game.num_actions, bool)
        legal[state.legal_actions()] = True
        np.testing.assert_array_equal(arguments["legal_out"][b], legal[actions])


@pytest.mark.parametrize("name", list(GAMES))
def test_a_drawn_position_is_that_of_the_state_under_every_symmetry(name):
    for seed in range(3):
        rings = stored(name, seed=seed)
        assert len(rings.positions) >= 5
        for symmetry in range(GAMES[name].num_symmetries):
            check(rings, symmetry)


@pytest.mark.parametrize("name", list(GAMES))
def test_games_and_policies_may_wrap_around_the_end_of_their_rings(name):
    for first_row in range(44, 50):
        for first_entry in (0, 339, 345, 349):
            check(stored(name, first_row, first_entry), GAMES[name].num_symmetries - 1)


def test_a_ring_that_the_game_fills_completely_is_read_right():
    length = len(stored("walk_all", seed=1).positions)
    for first_row in range(length):
        check(stored("walk_all", first_row, capacity=length, seed=1), 1)


@pytest.mark.parametrize(
    "name, shape",
    [
        ("states", (50, 15)),
        ("plies", (2,)),
        ("policy_offsets", (2,)),
        ("num_legal", (2,)),
        ("symmetries", (2,)),
        ("planes_out", (2, 2, 6, 7)),
        ("planes_out", "transposed"),
        ("policy_out", (2, 7)),
        ("policy_out", "narrow"),
        ("legal_out", (2, 7)),
        ("legal_out", "narrow"),
    ],
)
def test_an_array_of_a_wrong_shape_is_refused_by_name(name, shape):
    arguments = stored().arguments(0)
    batch = len(arguments["rows"])
    shape = {"transposed": (batch, 2, 7, 6), "narrow": (batch, 6)}.get(shape, shape)
    arguments[name] = np.zeros(shape, arguments[name].dtype)
    with pytest.raises(ValueError, match=f"{name}: axis . has length"):
        _core.draw_batch(**arguments)


@pytest.mark.parametrize("name", ["states", "rows", "policy", "planes_out", "policy_out", "legal_out"])
def test_an_array_of_another_type_or_layout_is_refused(name):
    arguments = stored().arguments(0)
    for changed in (arguments[name].astype(np.complex128), np.repeat(arguments[name], 2, axis=-1)[..., ::2]):
        with pytest.raises(TypeError):
            _core.draw_batch(**{**arguments, name: changed})


@pytest.mark.parametrize(
    "name, value",
    [
        ("rows", -1),
        ("rows", 50),
        ("plies", -1),
        ("plies", 50),
        ("policy_offsets", -1),
        ("policy_offsets", 350),
        ("symmetries", -1),
        ("symmetries", 2),
    ],
)
def test_a_number_that_points_outside_is_refused_by_name(name, value):
    arguments = stored().arguments(0)
    arguments[name][3] = value
    with pytest.raises(IndexError, match=name):
        _core.draw_batch(**arguments)


def test_an_empty_policy_ring_is_refused():
    arguments = {**stored().arguments(0), "policy": np.zeros(0, np.uint16)}
    with pytest.raises(IndexError, match="policy_offsets"):
        _core.draw_batch(**arguments)


def test_a_policy_of_another_length_than_the_legal_actions_is_refused():
    arguments = stored().arguments(0)
    arguments["num_legal"][2] = 6
    with pytest.raises(ValueError, match="stored policy has 6 entries, the position 7 legal actions"):
        _core.draw_batch(**arguments)


def test_a_policy_without_any_visit_is_refused():
    arguments = stored().arguments(0)
    arguments["policy"] = np.zeros_like(arguments["policy"])
    with pytest.raises(ValueError, match="without a visit"):
        _core.draw_batch(**arguments)


def test_an_empty_batch_is_no_work():
    arguments = stored().arguments(0)
    for name in ("rows", "plies", "policy_offsets", "num_legal", "symmetries", "planes_out", "policy_out", "legal_out"):
        arguments[name] = arguments[name][:0]
    _core.draw_batch(**arguments)
