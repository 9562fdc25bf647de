"""Foreign environments as policies see them that look at what `render()` shows."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
import pytest

from rlplat.config import load_config
from rlplat.environments.rendered import averaging
from rlplat.environments.resolve import resolve
from rlplat.environments.task import Task
from rlplat.errors import EnvError
from rlplat.interfaces import Observed
from rlplat.training.build import build
from rlplat.training.hosts import CollectorHost, LearnerHost

LAMP = "toy_tasks:toys/Lamp-v0"


def load(name: str, **parameters: Any) -> Task:
    env = resolve(name, trust=["toy_tasks"]).load(**parameters)
    assert isinstance(env, Task)
    return env


def test_a_policy_sees_pictures_averaged_over_areas_and_the_critic_the_state():
    task = load(LAMP, render_pixels=4)
    assert task.spec.observations == {"policy/camera": Observed((4, 4, 3), "uint8"), "privileged": Observed((1,))}
    envs = task.make_vector(2)
    envs.reset([0, 1])
    step = envs.step(np.array([0, 1]))
    assert step.rewards.tolist() == [0, 1]
    assert step.observations["privileged"].tolist() == [[1], [1]]
    camera = step.observations["policy/camera"]
    assert camera.shape == (2, 4, 4, 3)
    assert camera[0, :, :, 0].tolist() == [[10, 10, 0, 0]] * 4
    envs.close()


def test_a_stack_has_the_newest_picture_last_and_begins_full_of_the_first():
    envs = load(LAMP, render_pixels=1, render_stack=3).make_vector(1)
    seen = [envs.reset([0])["policy/camera"][0, 0, 0, ::3].tolist()]
    for _ in range(5):
        step = envs.step(np.zeros(1, int))
        seen.append(step.observations["policy/camera"][0, 0, 0, ::3].tolist())
    # A half of the picture is 10 for each step; a half of 5 is rounded to the even number.
    assert seen == [[0, 0, 0], [0, 0, 5], [0, 5, 10], [5, 10, 15], [10, 15, 20], [0, 0, 0]]
    assert step.last_observations["policy/camera"][0, 0, 0, ::3].tolist() == [15, 20, 25]


@pytest.mark.parametrize(("length", "num"), [(8, 4), (7, 3), (5, 5), (400, 64)])
def test_averages_have_equal_parts_of_the_whole(length, num):
    weights = averaging(length, num)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=0), num / length, rtol=1e-5)
    numbers = np.random.default_rng(0).uniform(size=length)
    np.testing.assert_allclose(weights @ numbers, np.repeat(numbers, num).reshape(num, length).mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"render_pixels": 17}, "renders 16x24x3; render_pixels is 17"),
        ({"render_pixels": 0}, "env.parameters.render_pixels is 0; it must be a whole number from 1 to 1024"),
        ({"render_pixels": 4, "render_stack": "3"}, "env.parameters.render_stack is '3'"),
    ],
)
def test_pictures_that_cannot_be_are_refused(parameters, message):
    with pytest.raises(EnvError, match=message):
        load(LAMP, **parameters)


def test_an_environment_that_draws_nothing_says_so():
    with pytest.raises(EnvError, match="Count-v0 with render_pixels=4 cannot be made"):
        load("toy_tasks:toys/Count-v0", render_pixels=4)


def test_ppo_learns_from_the_pictures_of_a_foreign_environment(tmp_path):
    path = tmp_path / "lamp.yaml"
    path.write_text(f"""
env: {{id: "{LAMP}", parameters: {{render_pixels: 16, render_stack: 2}}}}
agent: {{id: ppo, num_envs: 2, num_steps: 8}}
training: {{max_updates: 6}}
placement: {{mode: inline, num_actors: 1, learner_threads: 1}}
""")
    agent = build(load_config(path, [], trust=["toy_tasks"]), trust=["toy_tasks"]).agent
    host, collector = LearnerHost(agent.make_learner(inline=True)), CollectorHost(agent.make_collector(0, 1))
    report = host.start(None, None)
    for _ in range(2):
        collected = collector.collect(report.demand, host.version, host.weights)
        assert collected.arrays["observations/policy/camera"].shape[1:] == (2, 16, 16, 6)
        report = host.turn([(collected.arrays, collected.summary)], 20)
    assert np.isfinite(report.metrics["loss/policy"])


@pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="mujoco is not installed")
def test_gymnasiums_robots_are_drawn_by_what_works_here():
    pytest.importorskip(
        "imageio", reason="Gymnasium draws MuJoCo's environments with imageio alone: pip install imageio"
    )
    gl_platform = pytest.importorskip("envs.robots.pictures.gl_platform")
    if not os.environ.get("MUJOCO_GL") and not gl_platform.probe("egl").drawn_by:
        pytest.skip("MuJoCo's renderer does not run here: rlplat doctor")
    task = load("Reacher-v5", render_pixels=32, width=64, height=64)
    together = task.make_vector(2)
    pictures = together.reset([0, 1])["policy/camera"]
    assert pictures.shape == (2, 32, 32, 3)
    assert pictures.std() > 10
    for i in range(2):
        alone = task.make_vector(1)
        assert np.array_equal(alone.reset([i])["policy/camera"][0], pictures[i])
        alone.close()
    assert not np.array_equal(pictures[0], pictures[1])
    together.close()
