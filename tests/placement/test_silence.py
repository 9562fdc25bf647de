"""A hung process is told from a slow one by how long its calls took."""

from __future__ import annotations

from rlplat.placement.silence import LEAST_S, MOST_COUNTED_S, PATIENCE, Patience, Silence


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def listen(silence: Silence, clock: Clock, seconds: float) -> bool:
    """Look every second, as the one who waits does; tells whether it was too long at any time."""
    too_long = False
    for _ in range(round(seconds)):
        clock.now += 1.0
        too_long = too_long or silence.is_too_long
    return too_long


def test_before_anything_was_measured_only_the_upper_limit_holds() -> None:
    clock = Clock()
    silence = Silence(Patience(600.0), clock)
    assert not listen(silence, clock, 600)
    assert listen(silence, clock, 1)


def test_ten_times_the_longest_call_is_borne_and_no_more() -> None:
    clock = Clock()
    silence = Silence(Patience(3600.0), clock)
    for seconds in (4, 12, 6):
        assert not listen(silence, clock, seconds)
        silence.end()
    assert not listen(silence, clock, PATIENCE * 12)
    assert listen(silence, clock, 1)


def test_calls_of_milliseconds_do_not_make_a_moment_of_a_busy_machine_a_hang() -> None:
    clock = Clock()
    silence = Silence(Patience(3600.0), clock)
    clock.now += 0.0625
    silence.end()
    assert not listen(silence, clock, LEAST_S)
    assert listen(silence, clock, 1)


def test_the_first_call_may_have_a_limit_of_its_own_and_a_kind_of_calls_a_larger_least_one() -> None:
    patience = Patience(3600.0, first_s=900.0, least_s=300.0)
    assert patience.limit_s == 900.0
    patience.measured(0.01)
    assert patience.limit_s == 300.0
    patience.measured(100.0)
    assert patience.limit_s == PATIENCE * 100.0
    assert Patience(20.0, first_s=900.0, least_s=300.0).limit_s == 20.0


def test_the_upper_limit_holds_whatever_was_measured() -> None:
    patience = Patience(20.0)
    patience.measured(0.01)
    assert patience.limit_s == 20.0
    patience.measured(1000.0)
    assert patience.limit_s == 20.0


def test_a_successor_knows_how_long_the_calls_of_its_kind_take() -> None:
    clock = Clock()
    patience = Patience(3600.0)
    first = Silence(patience, clock)
    listen(first, clock, 5)
    first.end()
    successor = Silence(patience, clock)
    assert listen(successor, clock, PATIENCE * 5 + 1)


def test_time_in_which_nobody_listened_does_not_count() -> None:
    clock = Clock()
    patience = Patience(3600.0)
    silence = Silence(patience, clock)
    listen(silence, clock, 1)
    silence.end()
    clock.now += 7200.0  # the laptop was closed
    assert not silence.is_too_long
    assert silence.seconds == MOST_COUNTED_S
    silence.end()
    assert patience.limit_s == PATIENCE * MOST_COUNTED_S
