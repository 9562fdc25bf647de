import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplat.training.governor import ReplayRatioGovernor


def make_governor(samples_per_position=4.0, batch_size=64, min_positions=100, max_owed=10):
    return ReplayRatioGovernor(samples_per_position, batch_size, min_positions, max_owed)


def test_the_initial_fill_pays_for_no_update():
    governor = make_governor(min_positions=1000)
    governor.add_positions(1000)
    assert governor.owed_updates() == 0


def test_positions_beyond_the_fill_are_drawn_as_often_as_configured():
    governor = make_governor(samples_per_position=4.0, batch_size=64, min_positions=100)
    governor.add_positions(100 + 160)
    assert governor.owed_updates() == 160 * 4 // 64
    governor.spend(10)
    assert (governor.owed_updates(), governor.ratio) == (0, 4.0)


def test_a_part_of_an_update_is_paid_later_and_not_lost():
    governor = make_governor(samples_per_position=1.0, batch_size=64, min_positions=0)
    for _ in range(64):
        governor.add_positions(1)
    assert governor.owed_updates() == 1


def test_the_learner_is_behind_at_the_bound_and_not_before():
    governor = make_governor(samples_per_position=1.0, batch_size=10, min_positions=0, max_owed=3)
    governor.add_positions(29)
    assert not governor.is_behind
    governor.add_positions(1)
    assert governor.is_behind
    governor.spend(1)
    assert not governor.is_behind


def test_more_updates_than_are_owed_cannot_be_spent():
    governor = make_governor(min_positions=0, samples_per_position=1.0, batch_size=10)
    governor.add_positions(20)
    with pytest.raises(ValueError, match="cannot spend 3 updates: 2 are owed"):
        governor.spend(3)


@pytest.mark.parametrize("wrong", [{"samples_per_position": 0.0}, {"batch_size": 0}, {"max_owed": 0}])
def test_settings_that_would_stop_everything_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        make_governor(**wrong)


@given(
    samples_per_position=st.floats(0.01, 100),
    batch_size=st.integers(1, 4096),
    min_positions=st.integers(0, 10_000),
    steps=st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 1)), max_size=30),
)
def test_samples_never_exceed_the_ratio_and_what_is_paid_is_owed(
    samples_per_position, batch_size, min_positions, steps
):
    governor = make_governor(samples_per_position, batch_size, min_positions, max_owed=5)
    for positions, share in steps:
        governor.add_positions(positions)
        governor.spend(int(share * governor.owed_updates()))
        paid = samples_per_position * max(0, governor.num_positions - min_positions)
        assert governor.num_updates * batch_size <= paid
        assert paid - (governor.num_updates + governor.owed_updates()) * batch_size < batch_size


@given(positions=st.lists(st.integers(0, 5000), min_size=1, max_size=10), cut=st.integers(0, 10))
def test_a_restored_governor_goes_on_like_the_unbroken_one(positions, cut):
    unbroken = make_governor()
    governor = make_governor()
    for step, amount in enumerate(positions):
        if step == cut:
            state = governor.state()
            assert all(type(value) is int for value in state.values())
            governor = make_governor()
            governor.restore(state)
        for each in (unbroken, governor):
            each.add_positions(amount)
            each.spend(each.owed_updates() // 2)
    assert governor.owed_updates() == unbroken.owed_updates()
    assert governor.state() == unbroken.state()
