"""Searches of games whose rules and planes look back: the cache is right about the past."""

import numpy as np
import pytest
from networks import HashNetwork

from envs.games.chess import chess
from envs.games.go import go
from rlplat.search.parameters import SearchParams
from rlplat.search.self_play import SelfPlay, SelfPlayParams

GAMES = {
    # Small, long, and with one position in the planes, so that boards come back and superko alone tells them apart.
    "go": go.load(size=5, history=1, max_length=60),
    # Too few plies for anything but knights to go out and come back often.
    "chess": chess.load(history=1, max_length=24),
    "chess-planes": chess.load(history=4, max_length=16),
    "go-planes": go.load(size=5, history=3, max_length=30),
}


def played(game, cache_bytes, num_games):
    """Records of the first games of as many searches, and the counters."""
    params = SelfPlayParams(
        num_searches=num_games, seed=2, temperature_plies=1000, cache_bytes=cache_bytes, opening_plies=4
    )
    play = SelfPlay(game, SearchParams(num_simulations=20, prove=True), params)
    network = HashNetwork(game.num_actions)
    observations = np.zeros((num_games, *game.plane_shape), np.float32)
    found = {}
    while len(found) < num_games:
        rows = play.select(0, observations)
        play.backup(0, *network.evaluate(observations[:rows]))
        records = play.take_finished()
        lengths = records["num_positions"]
        for number, end, length in zip(records["game_number"], np.cumsum(lengths), lengths, strict=True):
            if number < num_games:
                found[int(number)] = records["action"][end - length : end].tolist()
    return found, play.counters


@pytest.mark.parametrize("name", GAMES)
def test_a_search_with_the_cache_equals_one_without(name):
    without, _ = played(GAMES[name], 0, 4)
    with_cache, counters = played(GAMES[name], 1 << 22, 4)
    assert with_cache == without
    assert counters["cache_hits"] > 50
