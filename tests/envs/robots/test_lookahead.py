"""What would be: rollouts are what stepping brings, derivatives predict small changes, and nothing moves meanwhile."""

import mujoco
import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from envs.robots.cartpole import balancing_gain
from envs.robots.names import task_names
from envs.robots.vector import RobotVectorEnv
from rlplat.environments.resolve import resolve
from rlplat.errors import EnvError
from rlplat.interfaces import Simulator

TASKS = task_names()
WORLD = {"mass": 0.2, "friction": 0.2, "damping": 0.2, "gain": 0.1, "action_delay_steps": 2}


def made(task, num_envs=3, **settings):
    env = RobotVectorEnv(num_envs, task=task, pixels=None, **settings)
    env.reset(seed=0)
    return env


def same(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first) and first.keys() == second.keys()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", [{}, {"randomisation": WORLD, "action_repeat": 3}])
def test_a_rollout_is_what_stepping_brings_and_leaves_everything_as_it_was(task, settings):
    env, twin = made(task, **settings), made(task, **settings)
    actions = np.random.default_rng(0).uniform(-1, 1, (3, 16, env.task.num_actions))
    for number in range(4):
        for each in (env, twin):
            each.step(actions[:, number])
    before = {name: array.copy() for name, array in env.snapshot().items()}
    costs, states = env.rollout(actions[:, 4:])
    assert same(before, env.snapshot())
    width = env.physics.batch.model.nq + env.physics.batch.model.nv
    assert states.shape == (3, 13, width)
    for number in range(12):
        assert (states[:, number] == twin.physics.batch.state[:, 1 : 1 + width]).all()
        _, rewards, *_ = twin.step(actions[:, 4 + number])
        assert (env.step(actions[:, 4 + number])[1] == rewards).all()
        assert (costs[:, number] == -rewards).all()


def test_after_the_end_of_an_episode_a_rollout_costs_nothing_and_stands_still():
    env = made("reach", action_repeat=10)
    costs, states = env.rollout(np.full((3, 8, 3), 0.5))
    assert (costs[:, :6] != 0).all() and (costs[:, 6:] == 0).all()
    assert (states[:, 6:] == states[:, [6]]).all() and (states[:, 5] != states[:, 6]).any()


@pytest.mark.parametrize("task", TASKS)
def test_derivatives_predict_what_small_changes_do(task):
    env = made(task, action_repeat=2)
    for _ in range(3):
        env.step(np.full(env.action_space.shape, 0.1))
    actions = np.full(env.action_space.shape, 0.2)
    states = env.rollout(actions[:, None])[1][:, 0]
    before = env.snapshot()
    by_state, by_action = env.linearise(states, actions)
    assert same(before, env.snapshot())
    generator = np.random.default_rng(0)
    num_positions = env.physics.batch.model.nq
    moved = 1e-6 * generator.standard_normal(states.shape)
    pushed = 1e-6 * generator.standard_normal(actions.shape)

    def after(states, actions):
        env.restore(before)
        batch = env.physics.batch
        batch.bind("qpos")[:], batch.bind("qvel")[:] = states[:, :num_positions], states[:, num_positions:]
        env.physics.refresh(np.arange(3))
        return env.rollout(actions[:, None])[1][:, 1]

    change = after(states + moved, actions + pushed) - after(states, actions)
    predicted = (by_state @ moved[..., None] + by_action @ pushed[..., None])[..., 0]
    assert np.linalg.norm(change) > 1e-6
    assert np.linalg.norm(change - predicted) < 0.02 * np.linalg.norm(change)


def test_derivatives_lead_to_the_balancing_regulator_of_mujocos_own():
    env = made("cartpole_balance", 1)
    by_state, by_action = (array[0] for array in env.linearise(np.zeros((1, 4)), np.zeros((1, 1))))
    ahead = solve_discrete_are(by_state, by_action, np.diag([1.0, 4.0, 0.1, 0.1]), np.eye(1))
    gain = np.linalg.solve(by_action.T @ ahead @ by_action + 1, by_action.T @ ahead @ by_state)[0]
    assert gain == pytest.approx(balancing_gain(env.physics.batch.model), rel=0.02)


def test_derivatives_of_one_simulation_are_those_of_its_own_world():
    env = made("reach", 2, control="torque", randomisation={"gain": 0.5})
    states = np.tile(env.rollout(np.zeros((2, 1, 6)))[1][:1, 0], (2, 1))
    _, by_action = env.linearise(states, np.zeros((2, 6)))
    gains = env.physics.batch.expanded("actuator_gainprm")[:, :6, 0]
    assert by_action[0] * (gains[1] / gains[0]) == pytest.approx(by_action[1], rel=1e-3, abs=1e-6)
    assert abs(gains[1, 0] / gains[0, 0] - 1) > 0.05


def test_at_its_bound_an_action_has_the_derivative_from_within():
    env = made("cartpole_balance", 1)
    inside, at_the_bound = (env.linearise(np.zeros((1, 4)), np.array([[u]]))[1] for u in (0.9, 1.0))
    assert at_the_bound == pytest.approx(inside, rel=0.01)


def test_every_robot_task_is_a_simulator_and_other_environments_say_that_they_are_none():
    vector = resolve("envs.robots:rlplat/Reach-v0").load(pixels=None).make_vector(2)
    assert isinstance(vector.simulator, Simulator)
    with pytest.raises(EnvError, match="Pendulum-v1 is no simulator"):
        resolve("Pendulum-v1").load().make_vector(1).simulator  # noqa: B018


def test_actions_of_another_shape_are_refused():
    env = made("reach")
    with pytest.raises(EnvError, match=r"rollout takes actions \[N, T, A\]; these have the shape \[3, 3\]"):
        env.rollout(np.zeros((3, 3)))
    with pytest.raises(EnvError, match=r"it must be \[3, 3\]"):
        env.rollout(np.zeros((3, 5, 4)))


def test_the_state_is_mujocos():
    env = made("push", 1)
    batch = env.physics.batch
    state = np.empty(mujoco.mj_stateSize(batch.model, mujoco.mjtState.mjSTATE_PHYSICS))
    mujoco.mj_getState(batch.model, batch.get_data(0), state, int(mujoco.mjtState.mjSTATE_PHYSICS))
    assert (env.rollout(np.zeros((1, 1, 3)))[1][0, 0] == state).all()
