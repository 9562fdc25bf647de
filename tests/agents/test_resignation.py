"""Resignation in self-play, and the value at which it happens, by the games that are played on."""

import numpy as np
import pytest

from agents.alphazero.resignation import FEWEST_RESIGNED, JUDGED, NO, RIGHTLY, VALUES, WRONGLY, Resignation, verdicts
from envs.games.connect_four import connect_four
from rlplat.search.analysis import ROLLOUT, SearchParams
from rlplat.search.self_play import NEVER, SelfPlay, SelfPlayParams

GAME = connect_four.load(rows=4, columns=5, line=3)


def record(values, *, first_player_won, played_on=1, opening_plies=0):
    """Of one game whose players take turns."""
    length = len(values)
    return {
        "num_positions": np.array([length], np.int32),
        "opening_plies": np.array([opening_plies], np.int32),
        "played_on": np.array([played_on], np.uint8),
        "resigned": np.zeros(1, np.uint8),
        "outcome": np.array([1.0 if first_player_won else -1.0], np.float32),
        "root_value": np.array(values, np.float32),
        "player": np.arange(length, dtype=np.uint8) % 2,
    }


def test_the_first_who_would_resign_decides_what_a_game_says():
    """The second player falls to -.85, then the first to -.96, and the first wins."""
    (found,) = verdicts(record([0.1, -0.85, -0.96, 0.5], first_player_won=True))
    expected = [RIGHTLY if value >= -0.85 else WRONGLY if value >= -0.96 else NO for value in VALUES]
    assert found.tolist() == expected
    assert {NO, RIGHTLY, WRONGLY} == set(expected)


def test_games_that_were_not_played_on_and_openings_say_nothing():
    assert len(verdicts(record([-1.0, 1.0], first_player_won=True, played_on=0))) == 0
    (found,) = verdicts(record([-1.0, 0.0], first_player_won=True, opening_plies=1))
    assert (found == NO).all()


def test_the_earliest_value_with_few_enough_errors_is_chosen():
    resignation = Resignation(0.1)
    for index in range(2 * FEWEST_RESIGNED):
        assert resignation.value == NEVER or index >= FEWEST_RESIGNED
        # The player of every fifth game wins after all, from a value of -.89.
        resignation.learn(record([0.0, -0.89 if index % 5 == 0 else -0.995], first_player_won=index % 5 > 0))
    assert resignation.value == pytest.approx(VALUES[VALUES < -0.89].max())
    lenient = Resignation(0.5)
    lenient.set_state(resignation.get_state())
    assert lenient.value == pytest.approx(-0.8)


def test_the_share_of_errors_is_that_of_the_newest_games_once_there_are_enough():
    resignation, resumed = Resignation(0.1), Resignation(0.1)

    def learn(into, index):
        """One of ten is won after all."""
        counters = into.learn(record([0.0, -0.995], first_player_won=index % 10 > 0))
        return counters["would_resign"], counters["resign_errors"]

    found = [learn(resignation, index) for index in range(1, FEWEST_RESIGNED + 2 * JUDGED + 1)]
    assert set(found[: 2 * FEWEST_RESIGNED - 1]) == {(0, 0)}  # as many again before a value was chosen
    assert found[2 * FEWEST_RESIGNED - 1] == (FEWEST_RESIGNED, 2)
    assert found[-1] == (JUDGED, 5)
    resumed.set_state(resignation.get_state())
    assert [learn(resumed, index) for index in range(30)] == [learn(resignation, index) for index in range(30)]


def test_games_end_when_a_player_resigns_unless_they_are_played_on():
    params = SelfPlayParams(num_searches=16, seed=1, temperature_plies=4, resign_value=-0.3, played_on_share=0.5)
    play = SelfPlay(GAME, SearchParams(num_simulations=20), params, evaluator=ROLLOUT)
    observations = np.zeros((16, *GAME.plane_shape), np.float32)
    while play.finished_positions < 3000:
        play.select(0, observations)
    records = play.take_finished()
    assert 0.3 < records["played_on"].mean() < 0.7
    assert not (records["resigned"] & records["played_on"]).any()
    assert 20 < records["resigned"].sum() < len(records["resigned"])
    ends = np.cumsum(records["num_positions"])
    for index, end in enumerate(ends):
        begin = end - records["num_positions"][index]
        low = records["root_value"][begin + records["opening_plies"][index] : end] <= -0.3
        state = GAME.state_from_moves(records["action"][begin:end].tolist())
        if records["resigned"][index]:
            assert not state.is_terminal
            assert np.flatnonzero(low).tolist() == [len(low) - 1]  # the last one's, and no one before
            assert records["outcome"][index] == (-1 if records["player"][end - 1] == 0 else 1)
        else:
            assert state.is_terminal
            assert records["outcome"][index] == state.returns[0]
            assert records["played_on"][index] or not low[:-1].any()


def test_where_nobody_may_resign_games_are_those_of_before():
    def games(**changes):
        params = SelfPlayParams(num_searches=4, seed=1, **changes)
        play = SelfPlay(GAME, SearchParams(num_simulations=10), params, evaluator=ROLLOUT)
        while play.finished_positions < 200:
            play.select(0, np.zeros((4, *GAME.plane_shape), np.float32))
        return play.take_finished()["action"].tolist()

    assert games() == games(resign_value=-1.5)
    assert games() != games(resign_value=0.0)
