"""Matches that measure options of the search in equal time."""

import time

import numpy as np
import pytest
from conftest import untrained_run

from agents.alphazero.search_options import Option, Timed, compare, equal_time, table
from envs.games.connect_four import connect_four
from rlplat.evaluation.trained import load_trained


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return load_trained(untrained_run(tmp_path_factory.mktemp("options"), "{id: connect_four}"), "latest")


class Busy:
    """Works for a time in proportion to its simulations, and plays the first legal action."""

    def __init__(self, seconds_per_move):
        self._seconds = seconds_per_move

    def act(self, states):
        end = time.process_time() + self._seconds * len(states)
        while time.process_time() < end:
            pass
        return np.array([state.legal_actions()[0] for state in states])


def test_simulations_are_chosen_so_that_moves_take_equally_long():
    def maker(seconds):
        return lambda number: Timed(Busy(seconds * number), alone=False)

    number = equal_time(connect_four.load(), maker(3e-6), maker(1e-6), 90, seed=0)
    assert number == pytest.approx(30, abs=3)


def test_each_option_plays_its_match_and_gives_a_row(trained):
    options = (
        Option("Gumbel", search={"selection": "gumbel"}),
        Option("leaves", play={"leaves_per_search": 4}, alone=True),
        Option("confidence", play={"lcb_deviations": 5.0}),
    )
    found = compare(trained, num_games=4, num_simulations=8, seed=0, options=options)
    assert [each.score.num_games for each in found] == [4, 4, 4]
    assert all(each.num_simulations >= 2 and each.time_ratio > 0 for each in found)
    lines = table(found).splitlines()
    assert len(lines) == 2 + len(options)
    assert {line.count("|") for line in lines} == {7}
