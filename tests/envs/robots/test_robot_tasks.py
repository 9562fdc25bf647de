"""What holds of every robot task: Gymnasium's contract, seeds, observation groups, delays, wrong input."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import envs.robots  # noqa: F401  (registers the tasks)
from envs.robots.names import class_name, task_names
from envs.robots.tasks.cartpole_balance import CartpoleBalance
from envs.robots.vector import RobotVectorEnv, pick
from rlplat.errors import ConfigError, EnvError, SceneError

TASKS = task_names()
WORLD = {
    "mass": 0.2, "friction": 0.2, "damping": 0.2, "gain": 0.1, "camera_position_m": 0.02, "camera_angle_deg": 2,
    "camera_fovy_deg": 2, "colour": 0.1, "texture": True, "light": 0.3, "light_direction": 0.2, "num_distractors": 3,
    "action_delay_steps": 2, "observation_delay_steps": 1,
}  # fmt: skip


def made(task, num_envs=1, **settings):
    return RobotVectorEnv(num_envs, task=task, **{"pixels": 16, **settings})


def leaves(values):
    if isinstance(values, dict):
        return [leaf for name in sorted(values) for leaf in leaves(values[name])]
    return [values]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(leaves(first), leaves(second), strict=True))


@pytest.mark.parametrize("task", TASKS)
def test_gymnasiums_checker_passes(task):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*infinity.*")
        env = gym.make(f"envs.robots:rlplat/{class_name(task)}-v0", pixels=16, render_mode="rgb_array")
        check_env(env.unwrapped, skip_render_check=True)
    assert env.unwrapped.render().shape == (256, 256, 3)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_simulation_of_a_batch_equals_a_single_one_bit_for_bit(task, num_threads):
    settings = {
        "randomisation": WORLD,
        "frame_stack": 2,
        "camera_noise": 3.0,
        "action_repeat": 30,
        "reading_noise": 0.01,
    }
    together = made(task, 3, num_threads=num_threads, **settings)
    singles = [gym.make(f"rlplat/{class_name(task)}-v0", pixels=16, **settings).unwrapped for _ in range(3)]
    generator = np.random.default_rng(0)
    observations, infos = together.reset(seed=5)
    for i, single in enumerate(singles):
        seen, info = single.reset(seed=5 + i)
        assert same(seen, pick(observations, i)) and same(info["randomisation"], pick(infos["randomisation"], i))
    over = np.zeros(3, dtype=bool)
    for _ in range(45):  # an episode has 34
        actions = generator.uniform(-1, 1, (3, together.task.num_actions))
        observations, rewards, *_ = together.step(actions)
        for i, single in enumerate(singles):
            if over[i]:
                seen, reward, over[i] = single.reset()[0], 0.0, False
            else:
                seen, reward, terminated, truncated, _ = single.step(actions[i])
                over[i] = terminated or truncated
            assert same(seen, pick(observations, i)) and reward == rewards[i]


@pytest.mark.parametrize("task", TASKS)
def test_terms_add_up_to_the_reward_and_an_episode_ends_in_time(task):
    env = made(task, 2, pixels=None, action_repeat=50)
    env.reset(seed=0)
    for _ in range(-(-env.task.num_steps // 50)):
        _, rewards, terminated, truncated, infos = env.step(np.zeros((2, env.task.num_actions)))
        assert rewards == pytest.approx(sum(infos["reward_terms"].values()))
    assert (terminated | truncated).all()


def test_only_the_masked_simulations_start_anew():
    env = made("cartpole_balance", 3)
    before, _ = env.reset(seed=0)
    after, _ = env.reset(options={"reset_mask": np.array([False, True, False])})
    changed = [not np.array_equal(before["privileged"][i], after["privileged"][i]) for i in range(3)]
    assert changed == [False, True, False]


def test_each_autoreset_mode_starts_the_next_episode_as_gymnasium_says():
    ends = {}
    for mode in AutoresetMode:
        env = made("cartpole_balance", 2, pixels=None, action_repeat=1000, autoreset_mode=mode)
        env.reset(seed=0)
        *_, truncated, infos = env.step(np.zeros((2, 1)))
        assert truncated.all()
        ends[mode] = infos
        if mode == AutoresetMode.DISABLED:
            with pytest.raises(EnvError, match="after the end"):
                env.step(np.zeros((2, 1)))
        else:
            _, rewards, _, truncated, _ = env.step(np.zeros((2, 1)))
            assert (rewards == 0).all() == (mode == AutoresetMode.NEXT_STEP) == (not truncated.any())
    assert ends[AutoresetMode.SAME_STEP]["final_obs"][1]["privileged"].shape == (5,)


def test_an_action_acts_after_its_delay():
    speeds = {}
    for delay in (0, 2):
        env = made("cartpole_balance", pixels=None, action_delay_steps=delay)
        env.reset(seed=0)
        speeds[delay] = [env.step(np.ones((1, 1)))[0]["privileged"][0, 3] for _ in range(4)]
    assert (np.diff(speeds[0]) > 0.05).all()
    assert abs(speeds[2][1]) < 0.05 < speeds[2][2]


def test_what_is_ordered_while_an_episode_begins_does_not_act_in_it():
    speeds = []
    for order in (-1.0, 1.0):
        env = made("cartpole_balance", 2, pixels=None, action_delay_steps=1, action_repeat=500)
        env.reset(seed=0)
        env.step(np.zeros((2, 1)))
        env.reset(options={"reset_mask": np.array([False, True])})  # so that it goes on while the other begins
        assert env.step(np.zeros((2, 1)))[3].tolist() == [True, False]
        env.step(np.array([[order], [0.0]]))
        speeds.append(env.step(np.zeros((2, 1)))[0]["privileged"][0, 3])
    assert speeds[0] == speeds[1]


def test_pictures_are_stacked_newest_last_and_lag_by_their_delay():
    now, late = made("cartpole_balance", frame_stack=2), made("cartpole_balance", observation_delay_steps=1)
    frames = [now.reset(seed=0)[0], *(now.step(np.ones((1, 1)))[0] for _ in range(12))]
    lagging = [late.reset(seed=0)[0], *(late.step(np.ones((1, 1)))[0] for _ in range(12))]
    frames, lagging = ([seen["policy"]["camera"] for seen in each] for each in (frames, lagging))
    assert (frames[-1][..., 3:] != frames[0][..., 3:]).any()
    for number in range(1, 13):
        assert (frames[number][..., :3] == frames[number - 1][..., 3:]).all()
        assert (lagging[number] == frames[number - 1][..., 3:]).all()


@pytest.mark.parametrize("speed", [1e9, np.nan])
def test_a_simulation_that_leaves_the_finite_numbers_is_truncated_saved_and_harms_no_other(
    tmp_path, monkeypatch, speed
):
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    broken, sound = (made("cartpole_balance", 3, pixels=None, unstable_folder=tmp_path) for _ in range(2))
    for env in (broken, sound):
        env.reset(seed=0)
    push = np.full((3, 1), 0.3)
    for times in (1, 2):
        broken.physics.batch.bind("qvel")[1] = speed
        _, rewards, _, truncated, infos = broken.step(push)
        _, whole, *_ = sound.step(push)
        assert truncated.tolist() == infos["unstable"].tolist() == [False, True, False]
        assert rewards.tolist() == [whole[0], 0.0, whole[2]] and whole[1] > 0
        assert infos["reward_terms"]["balance"][1] == 0
        assert broken.num_unstable == times == len(list(tmp_path.glob("*.npz")))
        seen, *_ = broken.step(push)
        whole, *_ = sound.step(push)
        assert np.array_equal(seen["privileged"][[0, 2]], whole["privileged"][[0, 2]])
        assert np.abs(seen["privileged"][1]).max() < 2
    saved = np.load(tmp_path / "unstable_0001.npz")["state"]
    assert np.isclose(saved, speed, rtol=0, equal_nan=True).any()


def test_physics_that_fails_twice_without_a_new_start_is_taken_back_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    physics = made("cartpole_balance", 2, pixels=None).physics
    physics.batch.bind("qvel")[1] = 1e9
    for times in (1, 2):
        assert physics.step(np.arange(2), 1).tolist() == [False, True]
        assert physics.num_unstable == times
        assert physics.batch.bind("qvel")[1].tolist() == [1e9, 1e9]


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({"camera": "frnt"}, SceneError, "no camera 'frnt'; did you mean front"),
        ({"pixls": 3}, ConfigError, "did you mean pixels"),
        ({"pixels": None, "privileged": False}, ConfigError, "nothing is observed"),
        ({"randomisation": {"mass": 1.5}}, ConfigError, "randomisation.mass"),
    ],
)
def test_wrong_settings_are_named(settings, error, sentence):
    with pytest.raises(error, match=sentence):
        made("cartpole_balance", **settings)


@pytest.mark.parametrize("task", TASKS)
def test_a_restored_vector_goes_on_bit_for_bit(task):
    settings = {
        "randomisation": WORLD,
        "frame_stack": 2,
        "camera_noise": 3.0,
        "action_delay_steps": 1,
        "action_repeat": 30,
    }
    first, second = made(task, 3, **settings), made(task, 3, num_threads=2, **settings)
    first.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (45, *first.action_space.shape))
    for action in actions[:7]:
        first.step(action)
    kept = {name: array.copy() for name, array in first.snapshot().items()}
    expected = [first.step(action)[:4] for action in actions[7:]]
    assert any(truncated.any() for *_, truncated in expected), "no new episode was begun"
    second.restore(kept)
    for action, (seen, *others) in zip(actions[7:], expected, strict=True):
        observations, *found, _ = second.step(action)
        assert same(seen, observations) and all(map(np.array_equal, others, found))


def test_a_robots_own_readings_are_seen_by_the_policy_with_their_noise(monkeypatch):
    class Sensing(CartpoleBalance):
        def proprioception(self):
            return self.privileged()

    monkeypatch.setattr("envs.robots.task.load", lambda name: Sensing)
    exact, noisy = (made("sensing", 200, pixels=None, reading_noise=noise) for noise in (0.0, 0.1))
    seen, _ = exact.reset(seed=0)
    assert np.array_equal(seen["policy"]["proprioception"], seen["privileged"])
    seen, _ = noisy.reset(seed=0)
    errors = seen["policy"]["proprioception"] - seen["privileged"]
    assert abs(errors.std() - 0.1) < 0.01 and abs(errors.mean()) < 0.01


@pytest.mark.parametrize("pixels", [32, 64])
def test_a_pole_is_seen_wherever_it_stands(pixels):
    env = made("cartpole_balance", 60, pixels=pixels)
    env.reset(seed=0)
    env.physics.batch.bind("qpos")[:] = np.stack([np.linspace(-1.6, 1.6, 60), np.zeros(60)], axis=1)
    env.physics.refresh(np.arange(60))
    observations, *_ = env.step(np.zeros((60, 1)))
    picture = observations["policy"]["camera"].astype(int)
    is_orange = picture[..., 0] > picture[..., 2] + 40
    rows_with_pole = is_orange.any(axis=2).sum(axis=1)
    assert rows_with_pole.min() >= 0.2 * pixels  # 1 m of the 3.7 m that are seen, less what the cart hides


def test_a_wrong_action_is_refused_and_nothing_moves():
    env = made("cartpole_balance", 2, pixels=None)
    before, _ = env.reset(seed=0)
    with pytest.raises(EnvError, match="action 0 of simulation 1 is nan"):
        env.step(np.array([[0.0], [np.nan]]))
    with pytest.raises(EnvError, match=r"must be \[2, 1\]"):
        env.step(np.zeros((3, 1)))
    assert np.array_equal(env.task.privileged().astype(np.float32), before["privileged"])


def test_an_unknown_task_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean cartpole_balance"):
        made("cartpole_balanc")


@pytest.mark.parametrize("task", TASKS)
def test_the_expert_succeeds_and_doing_nothing_does_not(task):
    env = made(task, 20, pixels=None)
    zero = np.zeros(env.action_space.shape)
    for who in ("expert", "zero"):
        env.reset(seed=0)
        total = np.zeros(20)
        for _ in range(env.task.num_steps):
            _, rewards, _, _, infos = env.step(env.expert_actions() if who == "expert" else zero)
            total += rewards
        assert infos["success"].mean() >= 0.95 if who == "expert" else infos["success"].mean() <= 0.2
        assert total.max() <= 1000
