"""SeedlingTransplant: what holds plugs and harms plants, what counts as planted, what is seen, and its contract."""

import warnings

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("mujoco.batch", reason="mujoco is not installed: pip install 'rlplat[robots]'")

from gymnasium.utils.env_checker import check_env

import envs.farm  # noqa: F401  (registers the environment)
from envs.farm.seedlings.damage import CRUSH_N, TENDER_N
from envs.farm.seedlings.env import SeedlingVector
from envs.farm.seedlings.gantry import GRASP_M
from envs.farm.seedlings.script import CARRY_M
from envs.farm.seedlings.seedling import PLUG_HALF_HEIGHT_M, STIFFNESS_NM_RAD, Seedling
from envs.farm.seedlings.trays import QUALITY, STILL, TORN
from envs.robots.arm.positions import is_new
from rlplat.environments.resolve import resolve
from rlplat.errors import ConfigError, EnvError

OPEN, HOLD, CLOSED = 1.0, -0.2, -1.0


def made(num_envs=1, **settings):
    return SeedlingVector(num_envs, **{"pixels": None, **settings})


def hand_to(env, target, opening, num_steps=40):
    """Lead the hands to points [N, 3], with the fingers ordered to `opening`."""
    for _ in range(num_steps):
        actions = np.zeros((env.num_envs, 5))
        actions[:, :3] = (target - env.task.robot.hand) * 20
        actions[:, 4] = opening
        env.step(actions)


def up(height):
    return np.array([0.0, 0.0, height])


def grasp_of(env):
    return env.task.trays.positions()[:, 0] + up(GRASP_M)


def at_plug(env):
    """Lead the open fingers around the plugs."""
    hand_to(env, grasp_of(env) + up(0.1), OPEN)
    hand_to(env, grasp_of(env), OPEN)


def played(env, seed=0, act=None):
    """Play an episode of each bench with the expert; return success, return, and the last measures."""
    env.reset(seed=seed)
    n = env.num_envs
    success, over, total, last = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n), {}
    while not over.all():
        actions = env.expert_actions() if act is None else act(env)
        _, rewards, terminated, truncated, infos = env.step(actions)
        total += rewards * ~over
        ends = (terminated | truncated) & ~over
        for name, values in infos["measures"].items():
            last.setdefault(name, np.zeros(n))[ends] = values[ends]
        success[ends] = infos["success"][ends]
        over |= ends
    return success, total, last


def test_a_cell_holds_its_plug_below_its_force_and_lets_go_above():
    forces = np.array([1.5, 3.0, 5.0, 8.0])
    env = made(4)
    env.reset(seed=0, options={"trays": [[Seedling(2, 3, adhesion_n=force)] for force in forces]})
    batch, task = env.physics.batch, env.task
    push, plug = batch.bind("xfrc_applied"), env.physics.batch.model.body("plug0").id
    start = task.trays.positions()[:, 0, 2].copy()
    weight = 9.81 * float(env.physics.batch.model.body_subtreemass[plug])
    for share, holds in ((0.9, True), (1.1, False)):
        push[:, plug, 2] = share * forces + weight
        for _ in range(4):
            env.step(np.tile([0, 0, 0, 0, OPEN], (4, 1)))
        risen = task.trays.positions()[:, 0, 2] - start
        assert (risen < 0.001).all() if holds else (risen > 0.01).all()
        assert ((task.trays.values[:, 0, TORN] == 0) == holds).all()


def test_stems_are_as_stiff_as_their_wood():
    assert pytest.approx(20e6 * np.pi * 0.002**4 / 64 / 0.01) == STIFFNESS_NM_RAD
    env = made()
    env.reset(seed=0)
    model = env.physics.batch.model
    assert model.joint("stem0_0x").stiffness[0] == pytest.approx(STIFFNESS_NM_RAD, rel=1e-3)
    assert model.joint("leaf0_0").stiffness[0] == pytest.approx(STIFFNESS_NM_RAD / 10, rel=1e-3)


def test_a_plug_pulled_gently_keeps_its_plant():
    env = made(8)
    env.reset(seed=0)
    most = 0.0
    for _ in range(35):
        env.step(env.expert_actions())
        most = max(most, env.task.damage.stem().max(), env.task.damage.touch().max())
    assert [outcomes[0].lifted for outcomes in env.outcomes()] == [True] * 8
    assert [outcomes[0].damage for outcomes in env.outcomes()] == [0.0] * 8
    assert 0.01 < most < TENDER_N


def test_fingers_closed_all_the_way_crush_the_plug_and_those_that_hold_do_not():
    for opening, lost in ((HOLD, None), (CLOSED, "crushed")):
        env = made(2)
        env.reset(seed=1)
        at_plug(env)
        _, *_, infos = env.step(np.tile([0, 0, 0, 0, opening], (2, 1)))
        for _ in range(5):
            *_, infos = env.step(np.tile([0, 0, 0, 0, opening], (2, 1)))
            if infos["measures"]["lost"].all():
                break
        assert [outcomes[0].lost for outcomes in env.outcomes()] == [lost] * 2
        assert (env.task.damage.squeeze()[:, 0].max(axis=1) > CRUSH_N).all() == (lost is not None)


def test_a_seedling_pulled_by_its_stem_breaks():
    env = made(2)
    env.reset(seed=0, options={"trays": [[Seedling(2, 3, adhesion_n=8.0)]] * 2})
    above = grasp_of(env) + up(PLUG_HALF_HEIGHT_M + 0.012)
    hand_to(env, above + up(0.08), OPEN)
    hand_to(env, above, OPEN)
    hand_to(env, above, CLOSED, num_steps=10)
    strain = 0.0
    for _ in range(20):
        *_, infos = env.step(np.tile([0, 0, 0.3, 0, CLOSED], (2, 1)))
        strain = max(strain, infos["measures"]["strain"].max())
    assert strain > 0.1


def test_a_plug_let_go_high_above_the_bench_is_lost_and_costs():
    env = made(2, level=2)
    env.reset(seed=0)
    while env.task.trays.positions()[:, 0, 2].min() < CARRY_M - 0.03:
        env.step(env.expert_actions())
    for _ in range(20):
        _, rewards, terminated, _, infos = env.step(np.tile([0, 0, 0, 0, OPEN], (2, 1)))
        if terminated.any():
            break
    assert terminated.all() and not infos["success"].any()
    assert (rewards < -4).all()
    assert [outcomes[0].lost for outcomes in env.outcomes()] == ["dropped"] * 2


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_expert_succeeds_with_more_than_95_percent_and_doing_nothing_does_not(level):
    success, total, last = played(made(40, level=level), seed=7)
    assert success.mean() > 0.95
    assert last["lost"].mean() < 0.02 and last["strain"].max() < 0.5
    assert played(made(20, level=level, robot="arm"), seed=7)[0].mean() >= 0.95
    success, idle, _ = played(made(5, level=level), act=lambda env: np.tile([0, 0, 0, 0, OPEN], (5, 1)))
    assert not success.any() and idle.max() < total.min()


def test_whole_trays_are_planted_and_poor_seedlings_left():
    env = made(2, level=4)
    success, total, last = played(env, seed=3)
    assert success.all() and (last["planted"] == 4).all() and (last["poor_planted"] == 0).all()
    assert (total > 4 * 6 - 8).all()


def test_a_planted_poor_seedling_costs_and_is_no_success():
    env = made(level=4, num_plugs=2, num_poor=0)
    env.reset(seed=0)
    values = env.task.trays.values
    while values[..., STILL].max() < 9:  # control steps: after the next one a seedling counts as planted
        env.step(env.expert_actions())
    values[0, values[0, :, STILL].argmax(), QUALITY] = 0.1
    *_, infos = env.step(env.expert_actions())
    assert infos["reward_terms"]["poor"].tolist() == [-2.0] and infos["measures"]["poor_planted"].tolist() == [1]
    assert infos["reward_terms"]["plant"].tolist() == [0.0] and infos["measures"]["planted"].tolist() == [0]
    over = False
    while not over:
        _, _, terminated, truncated, infos = env.step(env.expert_actions())
        over = bool((terminated | truncated)[0])
    assert infos["measures"]["planted"].tolist() == [1] and not infos["success"].any()


def test_empty_cells_and_the_place_of_seedlings_are_seen_by_both_cameras():
    env = made(3, pixels=64)
    # As near to one another as cells are, and none at all.
    seen, _ = env.reset(seed=[5, 5, 5], options={"trays": [[Seedling(3, 4)], [Seedling(3, 5)], []]})
    front = seen["policy"]["front"].astype(int)
    is_green = front[..., 1] > 1.4 * np.maximum(front[..., 0], front[..., 2])
    assert is_green[0].sum() > 5 and is_green[1].sum() > 5 and not is_green[2].any()
    places = [np.argwhere(green).mean(axis=0) for green in is_green[:2]]
    assert np.linalg.norm(places[0] - places[1]) > 2
    env = made(2, pixels=64)
    env.reset(seed=[5, 5], options={"trays": [[Seedling(3, 4)], [Seedling(3, 5)]]})
    hand_to(env, np.array([0.49, -0.16, 0.16]), OPEN, num_steps=20)
    wrist = env.step(np.tile([0, 0, 0, 0, OPEN], (2, 1)))[0]["policy"]["wrist"].astype(int)
    is_green = wrist[..., 1] > 1.4 * np.maximum(wrist[..., 0], wrist[..., 2])
    assert is_green.sum(axis=(1, 2)).min() > 30
    places = [np.argwhere(green).mean(axis=0) for green in is_green]
    assert np.linalg.norm(places[0] - places[1]) > 8


def test_poor_seedlings_look_small_and_yellow():
    env = made(2, pixels=64, level=4, num_plugs=1, num_poor=0, randomisation={})
    trays = [[Seedling(3, 4)], [Seedling(3, 4, size=0.55, quality=0.1)]]
    seen, _ = env.reset(seed=[5, 5], options={"trays": trays})
    front = seen["policy"]["front"].astype(int)
    red, green, blue = np.moveaxis(front, -1, 0)
    leaves = (green > 1.5 * blue) & (green > 0.8 * red)
    assert leaves[0].sum() > 1.5 * leaves[1].sum() > 0
    redness = [np.median(red[i][leaves[i]] / green[i][leaves[i]]) for i in range(2)]
    assert redness[0] < 0.6 < 0.85 < redness[1]


def test_trays_of_ones_own_are_planted_and_told_of_in_their_order():
    env = made(2, level=3, num_plugs=2)
    trays = [[Seedling(0, 0), Seedling(5, 7, size=0.9, adhesion_n=7.0)], [Seedling(3, 3)]]
    env.reset(seed=0, options={"trays": trays})
    assert [len(outcomes) for outcomes in env.outcomes()] == [2, 1]
    ended = np.zeros(2, bool)
    while not ended.all():
        _, _, terminated, truncated, infos = env.step(np.where(ended[:, None], 0, env.expert_actions()))
        if (new := (terminated | truncated) & ~ended).any():
            assert infos["success"][new].all()
            for i in np.flatnonzero(new):
                for outcome in env.outcomes()[i]:
                    assert outcome.planted_in is not None and outcome.off_m < 0.005 and outcome.damage == 0
            ended |= new


@pytest.mark.parametrize(
    ("tray", "sentence"),
    [
        ([Seedling(0, 0)] * 2, r"two seedlings in cell \(0, 0\)"),
        ([Seedling(0, column) for column in range(5)], "has 5 seedlings; num_plugs and num_poor make room for 4"),
        ([Seedling(6, 0)], "rows are 0 to 5, columns 0 to 7"),
    ],
)
def test_a_tray_that_cannot_be_is_refused(tray, sentence):
    env = made(level=3)
    with pytest.raises(EnvError, match=sentence):
        env.reset(seed=0, options={"trays": [tray]})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"level": 5}, "level"),
        ({"level": 2, "num_plugs": 3}, "level 2 has one seedling"),
        ({"level": 3, "robot": "arm"}, "needs robot: gantry"),
        ({"adhesion_n": (5.0, 1.0)}, "the least force comes first"),
        (
            {"level": 1, "reward": "growth"},
            "^SeedlingTransplant: reward is 'growth', and at level 1 nothing is planted",
        ),
        ({"level": 4, "num_plugs": 12, "num_poor": 12, "positions": "new"}, "are 24 seedlings, .* leaves the tray 2"),
        ({"levle": 2}, "did you mean level"),
    ],
)
def test_wrong_settings_are_named(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        made(**settings)


def test_an_action_that_is_no_number_is_refused_and_one_out_of_the_box_is_clipped():
    env = made(2)
    env.reset(seed=0)
    with pytest.raises(EnvError, match="action 4 of simulation 1 is nan"):
        env.step(np.array([[0.0] * 5, [0.0] * 4 + [np.nan]]))
    before = env.task.robot.hand.copy()
    env.step(np.array([[50.0, 0, 0, 0, 1], [1.0, 0, 0, 0, 1]]))
    moved = env.task.robot.hand[:, 0] - before[:, 0]
    assert 0.01 < moved[0] < 0.021 and moved[0] == pytest.approx(moved[1])


def test_positions_split_the_cells_by_the_board():
    for positions in ("training", "new"):
        env = made(40, positions=positions)
        env.reset(seed=0)
        env.task._mocap[:, 0, :2] = [0.48, -0.16]
        env.task._turned[:, 0] = [1, 0, 0, 0]
        assert (is_new(env.task.trays.cells()[:, 0]) == (positions == "new")).all()


def test_gymnasiums_checker_passes():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*infinity.*")
        env = gym.make("envs.farm:rlplat/SeedlingTransplant-v0", pixels=16, render_mode="rgb_array")
        check_env(env.unwrapped, skip_render_check=True)
    assert env.unwrapped.render().shape == (256, 256, 3)


def test_a_bench_of_a_batch_equals_a_single_one_and_a_restored_batch_goes_on_bit_for_bit():
    settings = {"level": 4, "num_plugs": 2, "num_poor": 1, "pixels": 16}
    together, other = made(2, **settings), made(2, **settings, num_threads=2)
    singles = [gym.make("envs.farm:rlplat/SeedlingTransplant-v0", **settings).unwrapped for _ in range(2)]
    together.reset(seed=5)
    other.reset(seed=77)
    for i, single in enumerate(singles):
        single.reset(seed=5 + i)
    for step in range(40):
        if step == 25:
            other.restore({name: array.copy() for name, array in together.snapshot().items()})
        actions = together.expert_actions()
        if step >= 25:
            assert np.array_equal(other.expert_actions(), actions)
        seen, rewards, *_ = together.step(actions)
        if step >= 25:
            again, others, *_ = other.step(actions)
            assert np.array_equal(others, rewards)
            assert _same(again, seen)
        for i, single in enumerate(singles):
            alone, reward, *_ = single.step(actions[i])
            assert reward == rewards[i] and np.array_equal(alone["privileged"], seen["privileged"][i])
            assert np.array_equal(alone["policy"]["wrist"], seen["policy"]["wrist"][i])


def _same(first, second):
    if isinstance(first, dict):
        return all(_same(first[name], second[name]) for name in first)
    return np.array_equal(first, second)


def test_a_rollout_says_what_comes_and_leaves_all_as_it_is():
    env = made(2)
    env.reset(seed=0)
    for _ in range(17):
        env.step(env.expert_actions())
    actions = np.random.default_rng(0).uniform(-1, 1, (2, 6, 5))
    before = {name: array.copy() for name, array in env.snapshot().items()}
    costs, states = env.rollout(actions)
    assert all(np.array_equal(array, before[name]) for name, array in env.snapshot().items())
    for number in range(6):
        _, rewards, *_ = env.step(actions[:, number])
        assert rewards == pytest.approx(-costs[:, number], abs=1e-9)
    assert np.allclose(states[:, -1, : env.physics.batch.model.nq], env.physics.batch.bind("qpos"), atol=1e-9)


def test_the_task_is_known_to_the_platform_with_two_pictures_and_an_expert():
    task = resolve("envs.farm:rlplat/SeedlingTransplant-v0").load(pixels=32)
    shapes = {name: part.shape for name, part in task.spec.group("policy").items()}
    assert shapes == {"policy/front": (32, 32, 3), "policy/wrist": (32, 32, 3), "policy/proprioception": (10,)}
    assert task.has_expert
