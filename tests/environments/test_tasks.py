"""Gymnasium environments by name, and what agents see of them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from rlplat import registry
from rlplat.config import load_config
from rlplat.environments.resolve import game_of, resolve
from rlplat.environments.spaces import spec_of, write_actions
from rlplat.environments.task import Task
from rlplat.errors import ConfigError, EnvError, RegistryError, RunError
from rlplat.interfaces import Choices, Continuous, Discrete, Observed

TOYS = ["toy_tasks"]


def load(name: str, **parameters: object) -> Task:
    env = resolve(name, trust=TOYS).load(**parameters)
    assert isinstance(env, Task)
    return env


def test_a_name_with_a_version_is_a_task_and_any_other_a_game():
    kinds = {
        name: registry.env_kind(name) for name in ("CartPole-v1", "envs.robots:rlplat/Reach-v0", "go", "my.hex:hex")
    }
    assert kinds == {"CartPole-v1": "task", "envs.robots:rlplat/Reach-v0": "task", "go": "game", "my.hex:hex": "game"}


def test_a_task_says_what_is_observed_and_done():
    spec = load("Pendulum-v1").spec
    assert (spec.observations, spec.actions) == ({"policy": Observed((3,))}, Continuous((1,), (-2.0,), (2.0,)))
    spec = load("toy_tasks:toys/Count-v0").spec
    assert spec.actions == Discrete(3)
    assert spec.group("privileged") == {"privileged": Observed((2,))}
    assert set(spec.observations) == {"policy", "privileged", "action_mask"}


def test_parts_of_a_mapping_without_groups_are_the_policys_and_pictures_stay_bytes():
    space = gym.spaces.Dict(
        {
            "camera": gym.spaces.Box(0, 255, (8, 8, 3), np.uint8),
            "gear": gym.spaces.Discrete(4),
            "x": gym.spaces.Box(0, 1),
        }
    )
    spec = spec_of("car", space, gym.spaces.Discrete(2))
    assert spec.observations == {
        "policy/camera": Observed((8, 8, 3), "uint8"),
        "policy/gear": Observed((4,)),
        "policy/x": Observed((1,)),
    }
    assert spec.observations["policy/camera"].is_image


@pytest.mark.parametrize(
    ("observations", "actions", "message"),
    [
        (gym.spaces.Text(3), gym.spaces.Discrete(2), "observation policy is Text"),
        (gym.spaces.Box(0, 1), gym.spaces.Text(3), "agents take Discrete, MultiDiscrete, or Box of floating-point"),
        (gym.spaces.Box(0, 1), gym.spaces.Box(0, 9, (2,), np.int32), "agents take Discrete, MultiDiscrete, or Box of"),
        (
            gym.spaces.Dict({"policy": gym.spaces.Box(0, 1), "action_mask": gym.spaces.MultiBinary(4)}),
            gym.spaces.MultiDiscrete([[2, 3], [2, 3]]),
            "its action_mask has 4 numbers; it must have 10, .* or 5, which repeat",
        ),
    ],
)
def test_spaces_that_no_agent_could_use_are_refused(observations, actions, message):
    with pytest.raises(EnvError, match=message):
        spec_of("odd", observations, actions)


def test_several_choices_begin_where_their_space_says():
    space = gym.spaces.MultiDiscrete([[2, 3], [2, 3]], start=[[1, 0], [0, 5]])
    assert spec_of("odd", gym.spaces.Box(0, 1), space).actions == Choices((2, 2), (2, 3, 2, 3))
    assert write_actions(space, np.array([[0, 2, 1, 1]])).tolist() == [[[1, 2], [1, 6]]]


def test_the_code_of_a_task_must_be_trusted():
    import toy_tasks  # noqa: F401  (registers its environments, as a plug-in of Gymnasium would)

    for name in ("toys/Count-v0", "toy_tasks:toys/Count-v0", "toys/Drift-v0"):
        with pytest.raises(RegistryError, match="allow it with --trust toy_tasks"):
            resolve(name)
    assert load("toys/Count-v0").name == "toys/Count-v0"


def test_names_and_parameters_that_lead_nowhere_are_told():
    with pytest.raises(RegistryError, match="did you mean CartPole-v1"):
        resolve("CartPoll-v1")
    with pytest.raises(RegistryError, match=r"named with it, as in envs.farm:rlplat/LettuceClimate-v0"):
        resolve("Zyzzyva-v9")
    with pytest.raises(EnvError, match=r"Pendulum-v1 with gravity='low', wind=3 cannot be made.*env.parameters"):
        load("Pendulum-v1", gravity="low", wind=3)
    with pytest.raises(RunError, match="needs a game; Pendulum-v1 is a task"):
        game_of(load("Pendulum-v1"))


def test_a_configuration_may_give_a_task_any_parameters_and_a_game_numbers(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("env: {id: 'envs.farm:rlplat/LettuceClimate-v0', parameters: {weather: test, num_days: 2}}\n"
                    "agent: {id: alphazero}\ntraining: {max_updates: 1}\n")  # fmt: skip
    config = load_config(path)
    task = resolve(config.env.id).load(**config.env.parameters)
    assert isinstance(task, Task)
    assert task.spec.actions == Continuous((3,), (0.0,) * 3, (1.0,) * 3)
    with pytest.raises(ConfigError, match=r"env.parameters.rows is true; it must be a number"):
        load_config(path, ["env.id=tictactoe", "env.parameters={rows: true}"])


def test_alphazero_refuses_a_task(tmp_path):
    from rlplat.training.build import build

    path = tmp_path / "run.yaml"
    path.write_text("env: {id: CartPole-v1}\nagent: {id: alphazero}\ntraining: {max_updates: 1}\n")
    with pytest.raises(ConfigError, match=r"learns games; env.id is CartPole-v1, a task: take the agent ppo"):
        build(load_config(path))
