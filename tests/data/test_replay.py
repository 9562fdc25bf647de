from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.games.connect_four import connect_four
from rlplat.data.replay import MAX_WEIGHT, GameReplay
from rlplat.testing.records import random_records

GAME = connect_four.load()


@cache
def make_records(num_games=20, seed=0, opening_plies=0):
    return random_records(GAME, num_games=num_games, seed=seed, opening_plies=opening_plies)


def filled(capacity, *records):
    replay = GameReplay(GAME, capacity)
    for arrays in records:
        replay.add(arrays)
    return replay


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__)


@cache
def samples(num_games=20, seed=0, opening_plies=0):
    """What may be drawn of `make_records`, as bytes: planes, policy, legal and outcome under every symmetry."""
    records = make_records(num_games, seed, opening_plies)
    found = set()
    first, entry = 0, 0
    for length, outcome in zip(records["num_positions"], records["outcome"], strict=True):
        state = GAME.initial_state()
        for row in range(first, first + length):
            num_legal = int(records["num_legal"][row])
            policy = np.zeros(GAME.num_actions, np.float32)
            legal = np.zeros(GAME.num_actions, bool)
            legal[state.legal_actions()] = True
            share = records["policy"][entry : entry + num_legal].astype(np.float32)
            if num_legal:
                policy[legal] = share / share.sum()
            value = np.float32(outcome if state.player == 0 else -outcome)
            for k in range(GAME.num_symmetries if num_legal else 0):
                cells, actions = GAME.symmetry(k)
                planes = state.planes().reshape(-1, len(cells))[:, cells]
                found.add(
                    (planes.tobytes(), policy[actions].round(4).tobytes(), legal[actions].tobytes(), float(value))
                )
            entry += num_legal
            state.apply(int(records["action"][row]))
        first += length
    return found


def drawn(batch):
    rows = zip(batch.planes, batch.policy.round(4), batch.legal, batch.outcome, strict=True)
    return {
        (planes.tobytes(), policy.tobytes(), legal.tobytes(), float(value)) for planes, policy, legal, value in rows
    }


def test_every_target_is_drawn_under_every_symmetry_and_nothing_else_is():
    records = make_records(num_games=4, opening_plies=3)
    replay = filled(1000, records)
    assert replay.num_targets == replay.num_positions - 4 * 3
    batch = replay.draw(6000, np.random.default_rng(0))
    assert drawn(batch) == samples(num_games=4, opening_plies=3)
    assert np.allclose(batch.policy.sum(1), 1.0)


def test_outcomes_and_root_values_are_those_of_the_player_to_move():
    records = make_records(num_games=1)
    root_value = np.where(records["player"] == 0, 0.5, -0.25).astype(np.float32)
    records = {**records, "outcome": np.ones(1, np.float32), "root_value": root_value}
    batch = filled(100, records).draw(200, np.random.default_rng(0))
    first = batch.planes[:, 0].sum((1, 2)) == batch.planes[:, 1].sum((1, 2))  # as many stones: the first player moves
    assert first.any() and not first.all()
    assert np.array_equal(batch.outcome, np.where(first, 1.0, -1.0))
    assert np.array_equal(batch.root_value, np.where(first, 0.5, -0.25))


def test_only_whole_oldest_games_make_room():
    records = [make_records(1, seed) for seed in range(30)]
    lengths = [int(r["num_positions"][0]) for r in records]
    replay = filled(100, *records)
    kept = next(n for n in range(30) if sum(lengths[n:]) <= 100)
    assert (replay.num_games, replay.num_positions) == (30 - kept, sum(lengths[kept:]))
    assert drawn(replay.draw(2000, np.random.default_rng(0))) == set().union(
        *(samples(1, seed) for seed in range(kept, 30))
    )


def test_a_smaller_window_drops_games_at_once_and_a_larger_one_keeps_more():
    replay = filled(2000, make_records(num_games=50))
    before = replay.num_positions
    replay.set_window(200)
    assert 200 - GAME.max_length < replay.num_positions <= 200 < before
    replay.set_window(10**9)
    assert replay.window == 2000
    replay.add(make_records(num_games=20, seed=1))
    assert replay.num_positions > 400


def test_more_games_at_once_than_the_window_leave_the_newest():
    records = make_records(num_games=60, seed=3)
    replay = filled(150, make_records(num_games=5), records)
    newest = np.cumsum(records["num_positions"][::-1])
    assert replay.num_games == int((newest <= 150).sum())
    assert replay.num_positions == newest[replay.num_games - 1]
    assert drawn(replay.draw(500, np.random.default_rng(0))) <= samples(num_games=60, seed=3)


@settings(max_examples=12, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3), st.integers(50, 200)), min_size=1, max_size=6),
    cut=st.integers(0, 5),
)
def test_a_restored_replay_draws_like_the_unbroken_one(steps, cut):
    unbroken, replay = GameReplay(GAME, 150), GameReplay(GAME, 150)
    for step, (num_games, opening_plies, window) in enumerate(steps):
        if step == cut:
            state = replay.state()
            replay = filled(150, make_records(num_games=7, seed=99))
            replay.restore(state)
        records = make_records(num_games, step, opening_plies)
        for each in (unbroken, replay):
            each.add(records)
            each.set_window(window)
        counts = ("num_positions", "num_targets", "num_games", "num_policy_entries", "window")
        assert [getattr(replay, name) for name in counts] == [getattr(unbroken, name) for name in counts]
        if unbroken.num_targets:
            batches = [each.draw(64, np.random.default_rng(step)) for each in (unbroken, replay)]
            assert same(*batches)
            assert drawn(batches[0]) <= set().union(
                *(samples(n, s, o) for s, (n, o, _) in enumerate(steps[: step + 1]))
            )


def test_targets_survive_the_growth_and_the_wrapping_of_the_policy_ring():
    replay = GameReplay(GAME, 300)
    for number in range(24):
        replay.set_window(100 if number < 4 else 300)  # games are dropped before the ring grows
        replay.add(make_records(num_games=10, seed=number, opening_plies=1))
        seen = drawn(replay.draw(200, np.random.default_rng(number)))
        assert seen <= set().union(*(samples(10, seed, 1) for seed in range(max(0, number - 2), number + 1)))


def test_a_connect_four_position_costs_less_than_150_bytes():
    records = make_records(num_games=100)
    replay = GameReplay(GAME, 20_000)
    while replay.num_positions < 19_900:
        replay.add(records)
        if replay.num_positions + int(records["num_positions"].sum()) > 20_000:
            break
    measured = replay.bytes / replay.num_positions
    print(f"{measured:.1f} bytes per position")
    assert measured < 150


def test_an_empty_replay_says_that_there_is_nothing_to_draw():
    replay = filled(100, make_records(num_games=1, opening_plies=50))
    assert replay.num_positions > 0
    with pytest.raises(ValueError, match="no position with a policy target"):
        replay.draw(8, np.random.default_rng(0))


def test_records_that_do_not_fit_are_refused_and_change_nothing():
    replay = filled(500, make_records(num_games=3))
    before = replay.state()
    broken = make_records(num_games=3, seed=1)
    for change, message in (
        ({"policy": broken["policy"][:-1]}, "policy entries"),
        ({"action": broken["action"][:-1]}, "different numbers of positions"),
        ({"states": broken["states"][:, :8]}, "another game"),
        ({"num_positions": broken["num_positions"] * 3}, "connect_four has 1 to 42"),
    ):
        with pytest.raises(ValueError, match=message):
            replay.add({**broken, **change})
    assert all(np.array_equal(array, before[name]) for name, array in replay.state().items())


def test_a_capacity_below_one_game_is_refused():
    with pytest.raises(ValueError, match="capacity is 41 positions, one game of connect_four can have 42"):
        GameReplay(GAME, 41)


def test_half_of_a_games_weight_goes_to_its_positions_by_their_surprise():
    records = dict(make_records(num_games=1, opening_plies=1))
    length = int(records["num_positions"][0])
    surprise = np.zeros(length, np.float32)
    surprise[:3] = 9, 3, 1  # the first is one of the opening
    num_targets = length - 1
    replay = GameReplay(GAME, 1000, surprise_weight=0.5)
    replay.add({**records, "surprise": surprise})
    rows = replay._draw_rows(60_000, np.random.default_rng(0))
    shares = np.bincount(rows, minlength=length)[:length] / len(rows)
    weights = 0.5 + 0.5 * surprise / (4 / num_targets)  # 4: the sum of their surprises
    weights[0] = 0
    weights = np.minimum(weights, MAX_WEIGHT)
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.01)


def test_a_game_without_surprise_is_drawn_evenly_and_survives_a_checkpoint():
    records = make_records(num_games=3, opening_plies=1)
    replay = GameReplay(GAME, 1000, surprise_weight=1.0)
    replay.add({**records, "surprise": np.zeros(len(records["action"]), np.float32)})
    other = GameReplay(GAME, 1000, surprise_weight=1.0)
    other.restore(replay.state())
    batches = [each.draw(500, np.random.default_rng(1)) for each in (replay, other)]
    assert same(*batches)
    assert len(drawn(replay.draw(6000, np.random.default_rng(0)))) == len(samples(num_games=3, opening_plies=1))


def test_a_replay_without_weights_says_so_when_it_is_asked_for_some():
    plain = filled(1000, make_records())
    with pytest.raises(ValueError, match="lack weight"):
        GameReplay(GAME, 1000, surprise_weight=0.5).restore(plain.state())
