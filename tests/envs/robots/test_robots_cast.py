"""The ray-caster on MuJoCo's models: against MuJoCo's own rays, and against its renderer where that runs."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

mujoco = pytest.importorskip("mujoco", reason="mujoco is not installed: pip install 'rlplat[robots]'")
mujoco_batch = pytest.importorskip("mujoco.batch")

import robot_scenes  # noqa: E402

from envs.robots.pictures.cast import CastRenderer  # noqa: E402
from rlplat.errors import SceneError  # noqa: E402

SIZE = robot_scenes.SIZE
SCENES = robot_scenes.scenes()


def make_batch(xml: str, nsim: int = 1):
    return mujoco_batch.Batch(mujoco.MjModel.from_xml_string(xml), nsim, 1)


def make_renderer(xml: str, nsim: int = 1, **options):
    batch = make_batch(xml, nsim)
    renderer = CastRenderer(batch, **{"width": SIZE, "height": SIZE, **options})
    renderer.scene()  # binds the poses, which follow the calls of the batch from here on
    batch.forward()
    return batch, renderer


def make_scene(name: str):
    """A batch of one of the scenes, its renderer, and the name of its camera."""
    model, data, camera = robot_scenes.simulation(name)
    batch = mujoco_batch.Batch(model, 1, 1)
    renderer = CastRenderer(batch, width=SIZE, height=SIZE)
    renderer.scene()
    state = int(mujoco.mjtState.mjSTATE_INTEGRATION)
    mujoco.mj_getState(model, data, batch.state[0], state)
    batch.forward()
    return batch, renderer, camera


def edges(segmentation: np.ndarray) -> np.ndarray:
    """Pixels with a neighbour, also diagonally, of another geom."""
    padded = np.pad(segmentation, 1, mode="edge")
    rows, columns = segmentation.shape
    shifted = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.any([other != segmentation for other in shifted], axis=0)


def rays(model, data, camera: str) -> np.ndarray:
    """Directions [SIZE, SIZE, 3] of the pixels' rays in the world, 1 along the view, so that distances are depths."""
    index = model.camera(camera).id
    pixel = 2 * math.tan(math.radians(model.cam_fovy[index]) / 2) / SIZE
    steps = (np.arange(SIZE) + 0.5 - SIZE / 2) * pixel
    x, y = np.meshgrid(steps, -steps)
    return np.stack([x, y, -np.ones_like(x)], axis=-1) @ data.cam_xmat[index].reshape(3, 3).T


@pytest.mark.parametrize("name", SCENES)
def test_every_pixel_sees_what_mujocos_exact_rays_hit_and_as_far_away(name):
    batch, renderer, camera = make_scene(name)
    depth, segmentation = (image[0] for image in renderer.render_depth(camera))
    data = batch.get_data(0)
    mujoco.mj_forward(batch.model, data)
    directions = rays(batch.model, data, camera)
    origin = data.cam_xpos[batch.model.camera(camera).id].copy()
    ids, distances = np.full(SIZE * SIZE, -1, np.int32), np.full(SIZE * SIZE, -1.0)
    geomid = np.zeros(1, np.int32)
    for pixel, direction in enumerate(directions.reshape(-1, 3)):
        distances[pixel] = mujoco.mj_ray(batch.model, data, origin, direction, None, 1, -1, geomid)
        ids[pixel] = geomid[0] if distances[pixel] >= 0 else -1
    ids, distances = ids.reshape(SIZE, SIZE), distances.reshape(SIZE, SIZE)
    far = batch.model.vis.map.zfar * batch.model.stat.extent
    ids[distances > far] = -1
    # At the very silhouette the last digit decides.
    assert np.mean(segmentation == ids) > 0.9995
    same = (segmentation == ids) & (ids >= 0)
    np.testing.assert_allclose(depth[same], distances[same], rtol=2e-4)
    assert np.all(depth[segmentation == -1] == np.float32(far))
    assert len(np.unique(segmentation)) > 2


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Pictures of MuJoCo's renderer; a process of its own, as a broken driver hangs, and the choice of one is final."""
    out = tmp_path_factory.mktemp("gl") / "pictures.npz"
    problems = []
    for backend in ("egl", "osmesa"):
        environment = {**os.environ, "MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend}
        command = [sys.executable, str(Path(robot_scenes.__file__)), str(out), *SCENES]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            problems.append(f"{backend}: no picture after 120 s")
            continue
        if done.returncode == 0:
            return np.load(out)
        problems.append(f"{backend}: {done.stderr.strip().splitlines()[-1]}")
    pytest.skip("MuJoCo's renderer does not run here: " + "; ".join(problems))


@pytest.mark.parametrize("name", SCENES)
def test_the_pictures_agree_with_mujocos_renderer(name, reference):
    _, renderer, camera = make_scene(name)
    depth, segmentation = (image[0] for image in renderer.render_depth(camera))
    theirs = reference[f"{name}.segmentation"]
    assert np.mean(segmentation == theirs) >= 0.99
    inside = ~edges(theirs) & ~edges(segmentation) & (theirs >= 0)
    assert inside.mean() > 0.3
    # Their depth has 24 bits between near and far, their balls and cylinders are polyhedra.
    error = abs(depth - reference[f"{name}.depth"])[inside] / depth[inside]
    assert error.max() < 0.01
    # They light vertices and interpolate, so colours agree on the whole only.
    difference = abs(renderer.render(camera)[0].astype(int) - reference[f"{name}.rgb"])[inside]
    assert difference.mean() < 6


def test_a_batch_draws_what_each_simulation_looks_like():
    batch, renderer = make_renderer(robot_scenes.ARM, nsim=3)
    batch.bind("qpos")[1, 0] = 1.0
    batch.expand("geom_rgba")[2, :, :3] = [1, 0, 0]
    batch.expand("cam_fovy")[2] = 70
    batch.expand("light_active")[1] = 0
    batch.forward()
    together = renderer.render("front")
    for sim in range(3):
        alone = mujoco_batch.Batch(batch.get_model(sim), 1, 1)
        picture = CastRenderer(alone, width=SIZE, height=SIZE)
        picture.scene()
        alone.bind("qpos")[:] = batch.bind("qpos")[sim]
        alone.forward()
        assert np.array_equal(picture.render("front")[0], together[sim])
    assert not np.array_equal(together[0], together[1])


def test_a_choice_among_textures_differs_between_simulations():
    xml = """<mujoco><asset>
      <texture name="a" type="2d" builtin="checker" rgb1="1 0 0" rgb2="1 1 0" width="32" height="32"/>
      <texture name="b" type="2d" builtin="checker" rgb1="0 0 1" rgb2="0 1 1" width="32" height="32"/>
      <material name="floor" texture="a"/></asset>
      <worldbody><geom type="plane" size="0 0 1" material="floor" rgba="1 1 1 1"/>
      <camera name="top" pos="0 0 2"/></worldbody></mujoco>"""
    batch, renderer = make_renderer(xml, nsim=2)
    batch.expand("mat_texid")[1, 0, mujoco.mjtTextureRole.mjTEXROLE_RGB] = 1
    batch.forward()
    red, blue = renderer.render("top")
    assert np.all(red[..., 0] > red[..., 2])
    assert np.all(blue[..., 2] > blue[..., 0])


def test_the_depth_of_a_sphere_follows_the_simulation():
    xml = """<mujoco><option gravity="0 0 0"/><worldbody><camera name="top" pos="0 0 3"/>
      <body><joint type="slide" axis="0 0 1"/><geom type="sphere" size=".1"/></body></worldbody></mujoco>"""
    batch, renderer = make_renderer(xml, nsim=2)
    batch.bind("qpos")[:, 0] = [0.5, 1.0]
    batch.forward()
    depth, _ = renderer.render_depth("top")
    assert depth[:, 32, 32] == pytest.approx([2.4, 1.9], abs=1e-2)


@pytest.mark.parametrize(
    ("geom", "message"),
    [
        ('<geom name="hill" type="hfield" hfield="h"/>', "geom 'hill' is of type hfield; the ray-caster draws plane, "),
        ('<geom name="rock" type="mesh" mesh="m"/>', "geom 'rock' is of type mesh; .* model it with these"),
        ('<geom name="crate" type="box" size="1 1 1" material="wood"/>', "geom 'crate' wears the texture 'wood'"),
        ('<geom name="lawn" type="plane" size="1 1 1" material="grass"/>', "geom 'lawn' wears the texture 'grass'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name_with_the_remedy(geom, message):
    asset = """<asset><hfield name="h" nrow="2" ncol="2" size="1 1 1 1"/>
      <mesh name="m" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/>
      <texture name="wood" type="2d" builtin="checker" width="8" height="8"/>
      <texture name="grass" type="2d" builtin="gradient" rgb1="0 1 0" rgb2="1 1 1" width="8" height="8"/>
      <material name="wood" texture="wood"/><material name="grass" texture="grass"/></asset>"""
    with pytest.raises(SceneError, match=message + ".*MuJoCo's renderer"):
        CastRenderer(make_batch(f"<mujoco>{asset}<worldbody>{geom}</worldbody></mujoco>"), width=8, height=8)


def test_what_cannot_be_drawn_may_be_in_a_group_that_is_not_seen():
    xml = """<mujoco><asset><mesh name="m" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/></asset><worldbody>
      <geom type="mesh" mesh="m" group="3"/><camera name="c" pos="0 0 3"/></worldbody></mujoco>"""
    _, renderer = make_renderer(xml)
    assert np.all(renderer.render_depth("c")[1] == -1)


def test_a_camera_that_is_not_there_is_named():
    _, renderer = make_renderer(robot_scenes.ARM)
    with pytest.raises(SceneError, match="no camera 'frnt'; did you mean front"):
        renderer.render("frnt")
    with pytest.raises(SceneError, match="no camera 1; it has 1"):
        renderer.render(1)
    xml = '<mujoco><worldbody><camera name="flat" projection="orthographic" fovy="1"/></worldbody></mujoco>'
    _, renderer = make_renderer(xml)
    with pytest.raises(SceneError, match="camera 'flat' is orthographic"):
        renderer.render("flat")


def test_the_marks_of_a_chess_board_are_left_out():
    xml = """<mujoco><asset><texture name="grid" type="2d" builtin="checker" rgb1="1 0 0" rgb2="0 0 1" width="100"
      height="100" mark="edge" markrgb="1 1 1"/><material name="floor" texture="grid"/></asset>
      <worldbody><geom type="plane" size="0 0 1" material="floor"/></worldbody></mujoco>"""
    _, renderer = make_renderer(xml)
    assert renderer.scene().geom_checker[0, 0].tolist() == [1, 1, 0, 1, 1, 0, 0, 0, 0, 1]
