"""Time for a move, and a trained agent that keeps to it."""

import itertools
import threading
import time

import pytest
from conftest import untrained_run

from rlplat.evaluation.trained import load_trained
from rlplat.play.player import MOST, Player, share_of_clock
from rlplat.search.analysis import FIRST_SHOWN


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    run = untrained_run(tmp_path_factory.mktemp("go"), "{id: go, parameters: {size: 5, komi: 0.5, history: 1}}")
    return load_trained(run, "latest")


def thoughts(player, **options):
    return list(player.think(player.game.initial_state(), stop=options.pop("stop", threading.Event()), **options))


def test_a_move_has_its_share_of_the_clock():
    assert share_of_clock(300.0) == pytest.approx(10.0)
    assert share_of_clock(300.0, increment_s=4.0) == pytest.approx(12.0)
    assert share_of_clock(10.0, moves_to_go=1) < 10.0  # before the clock is set anew
    assert share_of_clock(10.0, increment_s=60.0) == pytest.approx(2.5)
    assert share_of_clock(0.0) == 0.0
    for moves in (1, 2, 5, 40):
        left = 10.0
        for to_go in range(moves, 0, -1):
            left -= share_of_clock(left, moves_to_go=to_go)
        assert 0 < left < 10.0


def test_without_a_clock_there_is_one_search(go):
    (as_trained,) = thoughts(Player(go, None))
    assert as_trained.simulations is None
    (fixed,) = thoughts(Player(go, 40), seconds=100.0)
    assert (fixed.simulations, fixed.line[0]) == (40, fixed.action)
    assert -1 <= fixed.value <= 1
    (asked,) = thoughts(Player(go, None), simulations=3, seconds=100.0)
    assert asked.simulations == 3


def test_by_the_clock_one_search_goes_on_until_the_time_is_over(go):
    start = time.perf_counter()
    found = thoughts(Player(go, None), seconds=0.3)
    elapsed_s = time.perf_counter() - start
    assert 0.2 < elapsed_s < 3.0  # of a busy machine
    simulations = [thought.simulations for thought in found]
    assert simulations[0] >= FIRST_SHOWN
    assert all(2 * one <= other for one, other in itertools.pairwise(simulations[:-1]))
    assert simulations[-2] < simulations[-1] <= MOST
    assert found[-1].seconds <= elapsed_s


def test_without_time_or_after_stop_the_network_alone_moves(go):
    stop = threading.Event()
    stop.set()
    for found in (thoughts(Player(go, None), seconds=0.0), thoughts(Player(go, None), seconds=1000.0, stop=stop)):
        assert [thought.simulations for thought in found] == [0]
        assert found[0].action == thoughts(Player(go, 0))[0].action


def test_other_parameters_change_the_rules(go):
    player = Player(go, 10)
    player.change({"komi": 6.5})
    assert (player.game.parameters["komi"], go.game.parameters["komi"]) == (6.5, 0.5)
    assert player.game.num_actions > thoughts(player)[0].action
