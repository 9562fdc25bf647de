"""The collector: how its games are grouped, what it counts, and that it notices a network that broke."""

import numpy as np
import pytest

from agents.alphazero import collector as module
from agents.alphazero.collector import AlphaZeroCollector, game_texts
from agents.alphazero.config import AlphaZeroConfig, NetworkConfig, SelfPlayConfig
from agents.alphazero.network import ResidualNetwork, initialise_network, to_arrays
from envs.games.tictactoe import tictactoe
from examples.nim import Nim
from rlplat.errors import DivergedError
from rlplat.interfaces import Demand
from rlplat.testing import check_game
from rlplat.testing.records import random_records

GAME = tictactoe.load()
NETWORK = NetworkConfig(blocks=1, channels=8)


def make_collector(**self_play):
    config = AlphaZeroConfig(id="alphazero", network=NETWORK, self_play=SelfPlayConfig(**self_play))
    return AlphaZeroCollector(
        config, GAME, seed=1, index=0, num_collectors=1, generation=0, device="auto", num_threads=1
    )


def make_weights():
    network = ResidualNetwork(GAME.spec, NETWORK)
    initialise_network(network, 0)
    return to_arrays(network.state_dict())


@pytest.mark.parametrize(
    ("device", "self_play", "num_groups"),
    [
        ("cpu", {"num_games": 8}, 1),
        ("cuda", {"num_games": 8}, 2),
        ("cuda", {"num_games": 7}, 1),
        ("cpu", {"num_games": 8, "num_groups": 4}, 4),
        ("cuda", {"num_games": 8, "num_groups": 1}, 1),
    ],
)
def test_games_are_grouped_as_suits_the_device_unless_configured(monkeypatch, device, self_play, num_groups):
    monkeypatch.setattr(module, "choose_device", lambda asked: device)
    assert make_collector(**self_play)._play.num_groups == num_groups


def test_batches_are_counted_with_the_room_that_they_had():
    collector = make_collector(num_games=8, num_groups=2, cache_mib=0)
    collector.set_weights(1, make_weights())
    counters = collector.collect(Demand(50)).summary.metrics
    assert counters["batch_capacity"] == 4 * counters["batches"]
    # Without a cache every search of a group asks for a leaf each time.
    assert counters["batch_rows"] == counters["batch_capacity"]


def test_weights_that_broke_stop_self_play_with_what_to_do():
    collector = make_collector(num_games=8)
    weights = make_weights()
    next(array for array in weights.values() if array.ndim > 1)[:] = np.nan
    collector.set_weights(1, weights)
    with pytest.raises(DivergedError, match=r"^game 0, move .* is not finite.*--init-from.*learning rate"):
        collector.collect(Demand(10))


def test_the_stages_of_a_call_add_up_to_its_time():
    collector = make_collector(num_games=8, num_groups=2)
    collector.set_weights(1, make_weights())
    summary = collector.collect(Demand(50)).summary
    assert set(summary.stages) == {"search", "encoding", "inference", "records"}
    assert min(summary.stages.values()) > 0.0
    assert sum(summary.stages.values()) == pytest.approx(summary.seconds)


class Halves(Nim):
    """Nim for half of the stake."""

    def outcome(self, state):
        won = super().outcome(state)
        return won and won / 2


def test_games_are_kept_whatever_their_result():
    game = Halves.load()
    assert check_game(game, num_games=5).passed
    lines = game_texts(game, random_records(game, num_games=20, seed=0), 20)
    assert {line.split()[-1] for line in lines} == {"0.5000", "-0.5000"}
