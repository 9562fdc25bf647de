"""Every registered game as PettingZoo's environment."""

import warnings

import numpy as np
import pytest
from pettingzoo.test import api_test

from rlplat.errors import EnvError, GameError, RegistryError
from rlplat.registry import names
from rlplat.search.aec import make_env

SMALL = {"go": {"size": 5}, "hex": {"size": 5, "swap": 1}, "chess": {"history": 1, "max_length": 60}}
EXPECTED = (
    "probably should be gymnasium.spaces.box",  # those of games are dicts with a mask, as PettingZoo's own
    "Observation is not a NumPy array",
    "Action mask numpy array is all zeros",  # after the end of a game
    "Observation numpy array is all zeros",  # an empty board
)


@pytest.mark.parametrize("name", names("game"))
def test_a_game_passes_the_test_of_the_api(name):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        api_test(make_env(name, **SMALL.get(name, {})), num_cycles=200)
    said = [str(warning.message) for warning in found if warning.category is UserWarning]
    assert [text for text in said if not any(known in text for known in EXPECTED)] == []


@pytest.mark.parametrize("name", names("game"))
def test_masks_are_the_legal_actions_and_rewards_the_returns(name):
    env = make_env(name, **SMALL.get(name, {}))
    game = env.unwrapped
    rewards = dict.fromkeys(game.possible_agents, 0.0)
    env.reset()
    while not game.position.is_terminal:
        mover, other = (f"player_{p}" for p in (game.position.player, 1 - game.position.player))
        assert env.agent_selection == mover
        assert np.flatnonzero(env.observe(mover)["action_mask"]).tolist() == game.position.legal_actions().tolist()
        assert not env.observe(other)["action_mask"].any()
        assert (env.observe(mover)["observation"] == game.position.planes()).all()
        assert env.observation_space(mover).contains(env.observe(mover))
        env.step(int(game.position.legal_actions()[game.position.num_moves % len(game.position.legal_actions())]))
        rewards = {agent: rewards[agent] + env.rewards[agent] for agent in rewards}
    assert list(rewards.values()) == game.position.returns.tolist()
    assert all(env.terminations.values())


def test_both_agents_are_told_the_result():
    env = make_env("tictactoe")
    env.reset()
    for action in (0, 3, 1, 4, 2):
        env.step(action)
    told = {}
    for agent in env.agent_iter():
        _, told[agent], terminated, _, _ = env.last()
        assert terminated
        env.step(None)
    assert told == {"player_0": 1.0, "player_1": -1.0}
    assert env.agents == []


def test_an_illegal_action_is_refused_and_the_game_goes_on(capsys):
    env = make_env("tictactoe", render_mode="ansi")
    env.reset()
    env.step(4)
    before = env.render()
    with pytest.raises(GameError, match="action 4 is not legal here"):
        env.step(4)
    with pytest.raises(EnvError, match="player_1 played None; the game is not over"):
        env.step(None)
    assert env.render() == before == str(env.unwrapped.position)
    with pytest.raises(GameError, match="tictactoe has no parameter 'size'"):
        make_env("tictactoe", size=3)
    with pytest.raises(RegistryError, match="no game is named 'chss'; did you mean chess"):
        make_env("chss")
    with pytest.raises(EnvError, match="render_mode is 'rgb_array'; it must be None, ansi or human"):
        make_env("tictactoe", render_mode="rgb_array")
    shown = make_env("tictactoe", render_mode="human")
    shown.reset()
    shown.step(4)
    assert capsys.readouterr().out.strip() == str(shown.unwrapped.position).strip()
