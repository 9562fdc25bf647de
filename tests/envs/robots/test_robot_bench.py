"""The benchmarks of robots measure what they say."""

import numpy as np
import pytest

pytest.importorskip("mujoco.batch", reason="mujoco is not installed: pip install 'rlplat[robots]'")

from envs.robots import rollout_bench
from envs.robots.pictures import bench, gl_platform
from rlplat.errors import SceneError


@pytest.fixture
def no_opengl(monkeypatch):
    def choose():
        raise SceneError("there is none")

    monkeypatch.setattr(gl_platform, "choose", choose)


def test_pictures_are_measured_with_each_renderer_that_works(no_opengl):
    cast, gl, full = bench.render(rounds=20, pixels=(16,))
    assert cast.name == "render.reach.16.cast"
    assert 0 < cast.fields["trace_ms"] < cast.value < cast.fields["supersampling_ms"]
    for left_out, name in ((gl, "gl"), (full, "gl_full")):
        assert (left_out.name, left_out.value) == (f"render.reach.16.{name}", None)
        assert "there is none" in left_out.fields["note"]


def test_the_physics_alone_goes_the_way_of_the_vector():
    physics, made = rollout_bench.Physics(), rollout_bench.vector()
    for action in rollout_bench.random_actions(made, 5):
        made.step(action)
        physics.step()
    assert np.array_equal(made.unwrapped.physics.batch.bind("qpos"), physics.batch.bind("qpos"))


def test_rollouts_are_set_in_relation(no_opengl):
    found = {
        result.name.removeprefix("rollout.reach."): result for result in rollout_bench.rollout(seconds=0.05, rounds=5)
    }
    assert set(found) == {
        "pixels_1core",
        "pixels_gl",
        "state",
        "batch",
        "plain_loop",
        "gymnasium_reacher",
        "pixels_2cores",
    }
    assert found["plain_loop"].value is None
    assert 0 < found["pixels_1core"].value < found["state"].value < found["batch"].value
    assert found["state"].fields["over_batch"] < 1
    assert found["pixels_2cores"].fields["over_1core"] > 0
