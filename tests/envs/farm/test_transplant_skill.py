"""A robot in SeedlingTransplant as FarmDay's executor: trays, their outcomes, and skills that do not serve."""

from dataclasses import replace

import numpy as np
import pytest

from envs.farm.day.farm_day import FarmDayVector
from envs.farm.day.record_transplants import main, record
from envs.farm.day.transplant_skill import SkillExecutor
from envs.farm.day.transplant_table import TableExecutor, load_outcomes
from envs.farm.day.transplants import Tray
from envs.farm.seedlings.draws import draw_seedlings
from envs.farm.spacing.schedule import action_for
from rlplat.config import load_config
from rlplat.errors import ConfigError
from rlplat.training.session import train

BLIND = {"pixels": None}
ONE = {"level": 2, **BLIND}
SORT = {"level": 4, "num_plugs": 2, "num_poor": 1, **BLIND}
THIRTY = action_for(np.full(6, 30.0), 4.0).astype(np.float32)


def drawn(executor, seeds):
    return [Tray(tuple(draw_seedlings(np.random.default_rng(seed), executor.settings)), seed) for seed in seeds]


def test_the_expert_plants_good_seedlings_and_leaves_poor_ones():
    executor = SkillExecutor("script", SORT)
    trays = drawn(executor, range(3))
    for tray, found in zip(trays, executor.transplant(trays), strict=True):
        assert [one.is_good for one in tray.seedlings] == [True, True, False]
        assert [what.planted for what in found] == [True, True, False] and not any(what.lost for what in found)
        assert all(0 <= what.offset_mm < 5 and 1 < what.seconds < 8 for what in found[:2])
        assert np.isnan(found[2].offset_mm) and found[2].seconds == 0


def test_the_machine_that_sees_leaves_poor_seedlings_and_is_no_slower_than_an_episode():
    executor = SkillExecutor("vision", {**SORT, "pixels": 64})
    trays = drawn(executor, range(4))
    found = executor.transplant(trays)
    good, poor = ([what for tray in found for what in tray[part]] for part in (slice(2), slice(2, 3)))
    assert sum(what.planted for what in good) >= 6 and not any(what.planted for what in poor)
    assert all(what.seconds <= 300 * 0.05 / 2 for what in good)


def test_a_tray_comes_out_the_same_beside_others_and_alone_and_may_be_half_empty():
    executor = SkillExecutor("script", ONE)
    trays = drawn(executor, range(3))
    together = executor.transplant(trays)
    assert executor.transplant(trays[2:]) == together[2:]
    assert executor.transplant([]) == [] and executor.transplant([Tray((), 0), trays[1]]) == [[], together[1]]
    stuck = replace(trays[0].seedlings[0], adhesion_n=100.0)
    assert not executor.transplant([Tray((stuck,), 0)])[0][0].planted, "no gripper pulls it out"


NAMES = (("amounts", "planted"), ("costs", "lost"), ("amounts", "robot_s"))


def test_farms_with_the_robot_live_as_those_with_its_outcomes_where_it_never_fails(tmp_path):
    """The expert plants all, so only the robot's time differs."""
    main(["script", "--out", str(tmp_path / "expert.csv"), "--trays", "4", "--parameters", "{level: 2, pixels: null}"])
    assert len(load_outcomes(str(tmp_path / "expert.csv")).rows) == 4
    totals = []
    executors = (
        {"executor": "mujoco", "skill": "script", "transplant": ONE},
        {"outcomes": str(tmp_path / "expert.csv")},
    )
    for settings in executors:
        env = FarmDayVector(1, observation="classes", num_rows=5, num_columns=10, **settings)
        env.reset(seed=0)
        days = [env.step(THIRTY[None]) for _ in range(4)]
        totals.append({name: sum(day[4][group][name][0] for day in days) for group, name in NAMES})
        assert (env.bench.plants >= 0).all()
    assert totals[0]["planted"] == totals[1]["planted"] > 0
    assert totals[0]["robot_s"] == pytest.approx(totals[1]["robot_s"], rel=0.3)


def test_a_recording_repeats_and_says_with_what_it_was_made():
    one, again = record("script", ONE, 2), record("script", ONE, 2)
    assert one == again and one.parameters == {**ONE, "positions": "all"} and one.skill == "script"
    assert TableExecutor(one).settings.level == 2


def test_skills_that_do_not_serve_are_named(tmp_path, capsys):
    with pytest.raises(ConfigError, match="level 0 of SeedlingTransplant, where nothing is planted; it must be 2"):
        SkillExecutor("script", {"level": 0, **BLIND})
    with pytest.raises(ConfigError, match=r"'scrip' is no skill; did you mean script\?"):
        SkillExecutor("scrip", ONE)
    with pytest.raises(ConfigError, match="unknown key levle; did you mean level"):
        SkillExecutor("script", {"levle": 2})
    with pytest.raises(
        ConfigError, match=r"skill 'vision' sees policy/front \[64, 64, 3\], .* leave out what concerns"
    ):
        SkillExecutor("vision", ONE)
    with pytest.raises(SystemExit, match="level 1 of SeedlingTransplant"):
        main(["script", "--out", str(tmp_path / "no.csv"), "--parameters", "{level: 1, pixels: null}"])
    assert not (tmp_path / "no.csv").exists()
    with pytest.raises(SystemExit):
        main(["script", "--out", str(tmp_path / "outcomes")])
    assert "outcomes; it must end with .csv, by which FarmDay knows" in capsys.readouterr().err


RUN = """\
env: {}
agent:
  id: ppo
  num_envs: 2
  num_steps: 8
  network: {{hidden: [8]}}
  training: {{num_epochs: 1, batch_size: 16}}
training: {{max_updates: 1}}
evaluation: {{against: [], final_num_episodes: 1}}
placement: {{mode: inline, num_actors: 1, learner_threads: 1}}
"""


def trained(folder, env):
    """Train one update of PPO, and return the name of what came of it."""
    folder.mkdir()
    (folder / "run.yaml").write_text(RUN.format(env))
    train(load_config(folder / "run.yaml"), run_dir=folder / "run")
    return f"checkpoint:{folder / 'run'}@latest"


def test_a_checkpoint_acts_in_the_environment_of_its_run_on_all_cells(tmp_path):
    here = "{id: 'envs.farm:rlplat/SeedlingTransplant-v0', parameters: {level: 2, pixels: null, positions: training}}"
    skill = trained(tmp_path / "here", here)
    executor = SkillExecutor(skill, {"adhesion_n": (2.0, 3.0)})
    assert executor.parameters == {**ONE, "positions": "all", "adhesion_n": (2.0, 3.0)}
    ((what,),) = executor.transplant(drawn(executor, [0]))
    assert not what.planted, "it has learned nothing yet"


def test_a_checkpoint_of_another_task_is_refused_with_what_would_serve(tmp_path):
    skill = trained(tmp_path / "there", "{id: CartPole-v1}")
    with pytest.raises(ConfigError, match=r"has learned CartPole-v1, .*name a run of rlplat/SeedlingTransplant-v0"):
        FarmDayVector(1, executor="mujoco", skill=skill)
    with pytest.raises(ConfigError, match="names no checkpoint; write it as in checkpoint:runs/skill@latest"):
        SkillExecutor("checkpoint:nowhere", ONE)
