"""Push and PickAndPlace: what counts, how the gripper holds, and experts that find back."""

import numpy as np
import pytest

from envs.robots.arm.control import CONTROLS
from envs.robots.arm.positions import is_new
from envs.robots.tasks.pick_and_place import HALF_M
from envs.robots.vector import RobotVectorEnv

TASKS = ["push", "pick_and_place"]


def made(task, num_envs=40, **settings):
    env = RobotVectorEnv(num_envs, task=task, pixels=None, **settings)
    env.reset(seed=0)
    return env


def follow_the_expert(env, num_steps):
    for _ in range(num_steps):
        *_, infos = env.step(env.expert_actions())
    return infos


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("control", CONTROLS)
def test_the_expert_of_each_control_mode_succeeds(task, control):
    env = made(task, control=control)
    assert follow_the_expert(env, env.task.num_steps)["success"].mean() >= 0.95


@pytest.mark.parametrize("task", TASKS)
def test_the_expert_goes_on_from_wherever_somebody_else_has_led_the_arm(task):
    env = made(task)
    generator = np.random.default_rng(0)
    for step in range(env.task.num_steps):
        if step % 30 == 10:
            order = generator.uniform(-1, 1, env.action_space.shape)
        disturbed = 10 <= step % 30 < 15 and step < 60
        *_, infos = env.step(order if disturbed else env.expert_actions())
    assert infos["success"].mean() >= 0.9


@pytest.mark.parametrize("task", TASKS)
def test_the_expert_copes_with_other_masses_friction_gains_and_a_delay(task):
    world = {"mass": 0.2, "friction": 0.2, "damping": 0.2, "gain": 0.1, "action_delay_steps": 1}
    env = made(task, randomisation=world)
    assert follow_the_expert(env, env.task.num_steps)["success"].mean() >= 0.95


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("positions", ["training", "new"])
def test_objects_and_goals_lie_where_the_setting_says_and_apart(task, positions):
    env = made(task, positions=positions)
    start, goal = env.task._object.copy(), env.task._goal.copy()
    for points in (start, goal):
        assert (is_new(points) == (positions == "new")).all()
    assert np.hypot(*(start[:, :2] - goal).T).min() >= env.task.least_way_m


def test_whoever_has_pushed_the_block_to_the_goal_has_moved_it_ten_centimetres():
    env = made("push")
    start = env.task._object.copy()
    success = follow_the_expert(env, env.task.num_steps)["success"]
    moved = np.hypot(*(env.task._object - start)[:, :2].T)
    assert success.any() and moved[success].min() >= 0.1


def test_a_cube_that_slid_to_the_goal_does_not_count_until_it_was_lifted():
    env = made("pick_and_place", 2)
    env.task._object[:, :2] = env.task._goal
    env.physics.refresh(np.arange(2))
    *_, infos = env.step(np.zeros((2, 4)))
    assert not infos["success"].any() and infos["measures"]["distance_m"].max() < 0.01
    env.task._object[1, 2] = HALF_M + 0.12
    for _ in range(15):
        *_, infos = env.step(np.zeros((2, 4)))
    assert infos["success"].tolist() == [False, True]
    assert env.reset()[0]["privileged"][:, -1] == pytest.approx(0, abs=1e-3), "a new episode begins on the floor"


def test_a_cube_in_the_air_does_not_count():
    env = made("pick_and_place", 3)
    follow_the_expert(env, 25)
    held = env.task._object[:, 2] > HALF_M + 0.03
    env.task._goal[:] = env.task._object[:, :2]
    assert held.any() and not env.task.success()[held].any()


def test_the_gripper_holds_the_cube_without_a_slip_while_the_arm_moves_about():
    env = made("pick_and_place", 20)
    env.task._goal[:] = [0.5, 0.0]
    while not (env.task._object[:, 2] > HALF_M + 0.08).all():
        env.step(env.expert_actions())
    in_hand = env.task._object - env.task.kinematics.hand
    for number in range(40):
        sway = np.array([0.5 * np.cos(number / 3), 0.5 * np.sin(number / 3), 0.2 * np.cos(number / 5), -1])
        env.step(np.tile(sway, (20, 1)))
    slip = np.linalg.norm(env.task._object - env.task.kinematics.hand - in_hand, axis=1)
    assert slip.max() < 0.006
