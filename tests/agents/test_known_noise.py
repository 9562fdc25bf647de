"""Noise of self-play: each game has its own, and a run in which collectors share theirs is told so."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import TINY

from agents.alphazero import collector, known_noise
from agents.alphazero.collector import games_params
from agents.alphazero.known_noise import KnownNoise
from envs.games.tictactoe import tictactoe
from rlplat.config import load_config
from rlplat.search.parameters import BuiltinEvaluator, SearchParams
from rlplat.search.self_play import SelfPlay, SelfPlayParams
from rlplat.training.session import train

GAME = tictactoe.load()


def noise(search, **params):
    params = SelfPlayParams(num_searches=16, opening_plies=2, **params)
    play = SelfPlay(GAME, search, params, evaluator=BuiltinEvaluator.UNIFORM)
    rows = np.empty((play.rows_per_group, *GAME.plane_shape), np.float32)
    while play.finished_positions < 100:
        play.select(0, rows)
    assert len(play.take_finished()["outcome"]) > 16
    return play.take_noise().tolist()


DIRICHLET = SearchParams(num_simulations=8, noise_fraction=0.25)
GUMBEL = SearchParams(num_simulations=8, selection="gumbel", gumbel_scale=1.0)


@pytest.mark.parametrize("search", [DIRICHLET, GUMBEL], ids=["dirichlet", "gumbel"])
def test_every_game_has_noise_of_its_own_that_its_seed_and_number_give(search):
    words = noise(search)
    assert len(set(words)) == len(words)
    assert noise(search) == words
    others = noise(search, seed=1)
    assert not set(words) & set(others)


def test_where_there_is_no_noise_there_are_no_words():
    assert noise(replace(DIRICHLET, noise_fraction=0.0)) == []


def test_games_count_whose_noise_another_had(monkeypatch):
    known = KnownNoise()
    assert known.share == 0.0
    known.add(np.array([1, 2, 3], np.uint64))
    known.add(np.array([2**63 + 5], np.uint64))
    assert known.share == 0.0
    known.add(np.array([2, 2**63 + 5, 2, 9], np.uint64))
    assert known.share == 3 / 8
    monkeypatch.setattr(known_noise, "MOST_KNOWN", 2)
    known = KnownNoise()
    known.add(np.array([1, 2, 3], np.uint64))
    known.add(np.array([1], np.uint64))
    assert known.share == 0.0  # forgotten


@pytest.mark.parametrize("one_seed", [True, False])
def test_a_run_whose_collectors_share_a_seed_is_warned(tmp_path, monkeypatch, caplog, one_seed):
    def first_games(config, *, index, **options):
        return games_params(config, index=0 if one_seed else index, **options)

    monkeypatch.setattr(collector, "games_params", first_games)
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    train(load_config(path), run_dir=tmp_path / "run")
    warned = [record.message for record in caplog.records if "health: equal noise" in record.message]
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    shares = [row["self_play/repeated_noise"] for row in rows if "self_play/repeated_noise" in row]
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").glob("events.out.tfevents.*"))
    assert b"self_play/repeated_noise" in written
    assert (b"equal noise: " in written) == one_seed
    if one_seed:
        assert len(warned) == 1 and "50% of the games began with the noise of another" in warned[0]
        assert shares[-1] == pytest.approx(0.5, abs=0.01)
    else:
        assert warned == [] and max(shares) == 0.0
