"""Who transplants: what they see, how well they do, and what a run of another task is answered."""

import numpy as np
import pytest

pytest.importorskip("mujoco.batch", reason="mujoco is not installed: pip install 'rlplat[robots]'")

from envs.farm.seedlings.cameras import FRONT, WRIST
from envs.farm.seedlings.env import SeedlingVector
from envs.farm.seedlings.gantry import MAX_STEP_M, OPENING_M
from envs.farm.seedlings.machine import MAX_TRIES, Machine
from envs.farm.seedlings.players import OpenLoopPlayer, ScriptPlayer, SkillPlayer, VisionPlayer, transplant
from envs.farm.seedlings.scores import joined, row
from envs.farm.seedlings.seedling import PLUG_HALF_M, Seedling
from envs.farm.seedlings.vision import is_green, raft_in_front, seedlings_in_front
from rlplat.config import load_config
from rlplat.errors import ConfigError
from rlplat.training.session import train


def test_a_camera_tells_where_on_the_bench_a_pixel_lies():
    middle = FRONT.ground(np.array([31.5]), np.array([31.5]), 64, FRONT.looks_at_m[2])
    assert middle[0] == pytest.approx(FRONT.looks_at_m[:2], abs=1e-9)
    hand = np.array([0.4, 0.1, 0.2])
    below = WRIST.ground(np.array([31.5]), np.array([31.5]), 64, 0.2 + WRIST.looks_at_m[2], hand, turn=np.pi / 2)
    assert below[0] == pytest.approx([0.4 - WRIST.looks_at_m[1], 0.1 + WRIST.looks_at_m[0]], abs=1e-9)


def test_good_seedlings_and_the_raft_are_found_by_their_colours_and_poor_ones_are_not():
    env = SeedlingVector(6, level=4, num_plugs=2, num_poor=1, randomisation={})
    tray = [Seedling(1, 2), Seedling(4, 6), Seedling(4, 1, size=0.6, quality=0.1)]
    seen, _ = env.reset(seed=0, options={"trays": [tray] * 6})
    wanted, raft = env.task.trays.positions()[..., :2], env.task._mocap[:, 1, :2]
    for bench, picture in enumerate(seen["policy"]["front"]):
        found = seedlings_in_front(picture)
        assert len(found) == 2
        assert np.linalg.norm(found - wanted[bench, [1, 0]], axis=1).max() < 0.018
        assert np.linalg.norm(raft_in_front(picture) - raft[bench]) < 0.012
        assert is_green(picture).sum() > 10


def test_a_machine_that_sees_plants_more_than_one_that_goes_by_the_plan():
    seeds = list(range(100, 116))
    shares = {
        player: np.mean([bench[0].planted_in is not None for bench in transplant(player(), seeds).outcomes])
        for player in (OpenLoopPlayer, VisionPlayer, ScriptPlayer)
    }
    assert 0.2 < shares[OpenLoopPlayer] < shares[VisionPlayer]
    assert shares[VisionPlayer] > 0.85 and shares[ScriptPlayer] == 1.0


class TwoSeedlings:
    """Knows where two seedlings and their holes are."""

    def begin(self, observations):
        pass

    def look(self, observations, bench, at):
        return at

    def seedling(self, bench, number):
        return np.array([0.5, -0.2 + 0.04 * number]) if number < 2 else None

    def hole(self, bench, number):
        return np.array([0.5, 0.1 + 0.15 * number])


def test_the_machine_tries_every_seedling_as_often():
    machine, hand, width, num_grips = Machine(TwoSeedlings(), step_s=0.05), np.array([[0.48, 0.0, 0.2]]), OPENING_M, 0
    machine.begin({"policy/proprioception": np.zeros((1, 10))})
    for _ in range(800):
        readings = np.concatenate([hand, np.zeros((1, 5)), np.full((1, 2), width)], axis=1)
        actions = machine.act({"policy/proprioception": readings})
        hand = hand + MAX_STEP_M * actions[:, :3]
        ordered = OPENING_M * (actions[0, 4] + 1) / 2
        num_grips += ordered < PLUG_HALF_M < width  # they close
        width = PLUG_HALF_M if ordered < PLUG_HALF_M and num_grips % MAX_TRIES == 0 else ordered
    assert num_grips == 2 * MAX_TRIES and machine._planted.tolist() == [2], "each is held at the last try"


def test_the_machine_leaves_poor_seedlings():
    tray = [Seedling(1, 2), Seedling(4, 6), Seedling(2, 6, size=0.6, quality=0.1)]
    session = transplant(VisionPlayer(), [0, 1], trays=[tray] * 2, level=4, num_plugs=2, num_poor=1, randomisation={})
    for good, other, poor in session.outcomes:
        assert good.planted_in is not None and other.planted_in is not None
        assert poor.planted_in is None and not poor.lifted
    assert session.success.all() and (session.seconds < 20).all()


def test_a_line_of_scores_counts_plugs_and_gives_intervals():
    session = transplant(ScriptPlayer(), [0, 1, 2])
    cells = [cell.strip() for cell in row("script", "usual", 2, joined([session, session])).split("|")]
    assert cells[3] == "100.0 % [61.0, 100.0]" and cells[4].startswith("0.0 %") and cells[6] == "none there"
    assert float(cells[7]) == pytest.approx(session.seconds.mean(), abs=0.06)


def test_the_agent_of_a_run_transplants_and_one_of_another_task_is_refused(tmp_path):
    tiny = {
        "agent": "{id: guided_policy, num_envs: 2, num_steps: 3, training: {updates_per_round: 1, batch_size: 4}}",
        "training": "{max_updates: 1, checkpoint_every: 1}",
        "evaluation": "{against: [], final_num_episodes: 1}",
        "placement": "{mode: inline, num_actors: 1}",
    }
    runs = {}
    for name, env in (
        ("skill", '{id: "envs.farm:rlplat/SeedlingTransplant-v0", parameters: {pixels: 16, level: 0}}'),
        ("other", '{id: "envs.robots:rlplat/CartpoleBalance-v0", parameters: {pixels: 16, action_repeat: 500}}'),
    ):
        config = tmp_path / f"{name}.yaml"
        config.write_text("".join(f"{key}: {value}\n" for key, value in {"env": env, **tiny}.items()))
        runs[name] = tmp_path / name
        train(load_config(config), run_dir=runs[name])
    player = SkillPlayer(runs["skill"], "latest")
    session = transplant(player, [0, 1])
    assert [len(outcomes) for outcomes in session.outcomes] == [1, 1]
    with pytest.raises(ConfigError, match="CartpoleBalance-v0, which is no skill of transplanting"):
        SkillPlayer(runs["other"], "latest")
