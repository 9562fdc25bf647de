"""The arm: what actions of each control mode do, what is seen of it, and where its tasks put things."""

import mujoco
import numpy as np
import pytest

from envs.robots.arm.arm import MAX_SPEED_RAD_S, MAX_TORQUE_NM
from envs.robots.arm.control import CONTROLS, MAX_STEP_M
from envs.robots.arm.positions import draw_position, is_new
from envs.robots.vector import RobotVectorEnv
from rlplat.errors import ConfigError


def made(num_envs=4, task="reach", **settings):
    env = RobotVectorEnv(num_envs, task=task, **{"pixels": None, **settings})
    env.reset(seed=0)
    return env


def test_the_jacobian_is_mujocos():
    env = made()
    env.step(np.random.default_rng(0).uniform(-1, 1, env.action_space.shape))
    kinematics, batch = env.task.kinematics, env.physics.batch
    moves, turns = batch.jac(batch.model.body("palm").id, kinematics.hand)
    assert kinematics.jacobian() == pytest.approx(np.concatenate([moves, turns], axis=1)[..., :6])


def test_wanted_joint_speeds_move_the_hand_as_wanted_and_do_not_turn_it():
    env = made(num_envs=50)
    for _ in range(20):
        env.step(env.expert_actions())
    velocity = np.random.default_rng(0).uniform(-0.2, 0.2, (50, 3))
    speeds = env.task.kinematics.joint_speeds(velocity)
    batch = env.physics.batch
    moves, turns = batch.jac(batch.model.body("palm").id, env.task.kinematics.hand)
    assert (moves[..., :6] @ speeds[..., None])[..., 0] == pytest.approx(velocity, abs=0.01)
    assert np.abs(turns[..., :6] @ speeds[..., None]).max() < 0.05


def test_near_a_stretched_arm_no_joint_races():
    env = made(num_envs=1)
    env.physics.batch.bind("qpos")[:, :6] = [0, 1.2, -1.5, 0, 0.3, 0]
    env.physics.refresh(np.arange(1))
    speeds = env.task.kinematics.joint_speeds(np.array([[0.5, 0.0, 0.0]]))
    assert (np.abs(speeds) <= MAX_SPEED_RAD_S + 1e-9).all()


def test_a_cartesian_action_displaces_the_hand_as_far_as_it_says_and_keeps_it_upright():
    env = made(control="cartesian")
    for wanted in np.array([[1, 0, 0], [0, -0.5, 0], [0, 0, 0.8], [-0.4, 0.4, -0.4]]):
        for _ in range(6):
            env.step(np.zeros(env.action_space.shape))
        before = env.task.kinematics.hand.copy()
        for _ in range(4):
            env.step(np.tile(wanted, (4, 1)))
        for _ in range(4):
            env.step(np.zeros(env.action_space.shape))
        moved = env.task.kinematics.hand - before
        assert moved == pytest.approx(np.tile(4 * MAX_STEP_M * wanted, (4, 1)), abs=0.006)
    upright = env.physics.batch.bind("site_xmat")[:, env.physics.batch.model.site("grip").id, 8]
    assert np.rad2deg(np.arccos(upright)).max() < 3


def test_a_velocity_action_is_the_speed_of_the_joints():
    env = made(control="velocity")
    action = np.array([0.3, -0.2, 0.2, 0.5, -0.4, 0.6])
    for _ in range(3):
        env.step(np.tile(action, (4, 1)))
    assert env.task.proprioception()[:, 6:12] == pytest.approx(np.tile(action * MAX_SPEED_RAD_S, (4, 1)), abs=0.05)


def test_a_torque_action_is_the_torque_of_the_joints_beside_what_bears_the_arm():
    env = made(control="torque")
    hand = env.task.kinematics.hand.copy()
    for _ in range(20):
        env.step(np.zeros((4, 6)))
    assert np.abs(env.task.kinematics.hand - hand).max() < 0.002, "nothing holds the arm's weight"
    action = np.linspace(-0.5, 0.5, 6)
    env.step(np.tile(action, (4, 1)))
    assert env.physics.batch.bind("qfrc_actuator")[:, :6] == pytest.approx(np.tile(action * MAX_TORQUE_NM, (4, 1)))


def test_the_home_pose_is_free_of_contacts_and_the_hand_points_down():
    env = made()
    data = mujoco.MjData(env.physics.batch.model)
    data.qpos[:6] = [0.0, 0.26372, 0.26326, 0.0, -0.52698, 0.0]
    mujoco.mj_forward(env.physics.batch.model, data)
    assert data.ncon == 0
    assert data.site("grip").xpos == pytest.approx([0.45, 0, 0.3], abs=1e-3)
    assert data.site("grip").xmat == pytest.approx(np.eye(3).ravel(), abs=1e-3)


def test_the_arm_does_not_sink_into_the_floor():
    env = made(control="cartesian")
    for _ in range(60):
        env.step(np.tile([0.0, 0.0, -1.0], (4, 1)))
    assert env.task.kinematics.hand[:, 2].min() > 0.01
    assert np.abs(env.task.proprioception()[:, 6:12]).max() < 0.1


@pytest.mark.parametrize("control", CONTROLS)
def test_the_expert_of_each_control_mode_reaches(control):
    env = made(50, control=control)
    for _ in range(60):
        *_, infos = env.step(env.expert_actions())
    assert infos["success"].all()


@pytest.mark.parametrize("control", CONTROLS)
def test_the_expert_reaches_from_wherever_somebody_else_has_led_the_arm(control):
    env = made(50, control=control)
    generator = np.random.default_rng(0)
    for _ in range(10):
        env.step(np.tile(generator.uniform(-1, 1, env.action_space.shape[1]), (50, 1)))
    for _ in range(50):
        *_, infos = env.step(env.expert_actions())
    assert infos["success"].mean() >= 0.95


def test_targets_in_training_and_new_ones_never_share_a_field():
    low, high = (0.3, -0.2, 0.0), (0.7, 0.2, 0.3)
    generator = np.random.default_rng(0)
    points = {
        kind: np.array([draw_position(generator, low, high, kind) for _ in range(400)])
        for kind in ("all", "training", "new")
    }
    fields = {kind: set(map(tuple, np.floor(xyz[:, :2] / 0.1).astype(int))) for kind, xyz in points.items()}
    assert len(fields["training"]) == len(fields["new"]) == 8
    assert not fields["training"] & fields["new"]
    assert fields["training"] | fields["new"] == fields["all"]
    assert all((low <= xyz).all() and (xyz <= high).all() for xyz in points.values())
    assert is_new(np.array([0.35, 0.05])) != is_new(np.array([0.35, 0.15])) == is_new(np.array([0.45, 0.05]))


@pytest.mark.parametrize("positions", ["training", "new"])
def test_targets_of_a_task_lie_where_the_setting_says(positions):
    env = made(64, positions=positions)
    targets = env.task.privileged()[:, 3:6]
    assert (is_new(targets) == (positions == "new")).all()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"control": "cartesion"}, "Reach: control is the text 'cartesion'; .*did you mean cartesian"),
        ({"position": "new"}, "Reach: unknown key position; did you mean positions"),
        ({"positions": 3}, "Reach: positions is 3; it must be 'all', 'training' or 'new'"),
    ],
)
def test_wrong_settings_of_the_arm_are_named(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        made(**settings)


def test_the_hand_that_the_arm_feels_is_where_it_is():
    env = made(frame_stack=1)
    seen, *_ = env.step(np.ones(env.action_space.shape))
    assert seen["policy"]["proprioception"][:, 12:15] == pytest.approx(env.task.kinematics.hand, abs=1e-6)


@pytest.mark.parametrize("pixels", [32, 64])
def test_ball_and_foot_are_seen_wherever_they_are(pixels):
    env = made(200, pixels=pixels)
    renderer = env._observer._renderer
    _, seen = renderer.render_depth("front")
    for name in ("target", "foot"):
        area = (seen == env.physics.batch.model.geom(name).id).sum(axis=(1, 2)) / (pixels / 64) ** 2
        assert np.quantile(area, 0.02) >= 5 and np.median(area) >= 12, name
