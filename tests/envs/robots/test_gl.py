"""MuJoCo's renderer as a back-end: how it is found, what it draws, and what happens where it does not work."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

mujoco = pytest.importorskip("mujoco", reason="mujoco is not installed: pip install 'rlplat[robots]'")
mujoco_batch = pytest.importorskip("mujoco.batch")
gym = pytest.importorskip("gymnasium")

import robot_scenes  # noqa: E402

from envs.robots.doctor import judge  # noqa: E402
from envs.robots.pictures import cast, gl_platform, gl_probe, presets  # noqa: E402
from envs.robots.pictures.gl import GlRenderer  # noqa: E402
from envs.robots.pictures.gl_platform import CHOICE, PYOPENGL_CHOICE, Probe  # noqa: E402
from envs.robots.pictures.watchdog import EXIT_CODE  # noqa: E402
from rlplat.errors import SceneError  # noqa: E402

REACH = "envs.robots:rlplat/Reach-v0"
GREY = (0.5, 0.5, 0.5)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def unset(monkeypatch):
    """Nobody has chosen yet; what the test chooses is forgotten after it."""
    for name in (CHOICE, PYOPENGL_CHOICE, "LP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def works():
    """Skip where no picture can be drawn, which another process finds out."""
    if not os.environ.get(CHOICE) and not any(gl_platform.probe(platform).drawn_by for platform in ("egl", "osmesa")):
        pytest.skip("MuJoCo's renderer does not run here: rlplat doctor")
    gl_platform.choose()


def batch_of(xml: str, nsim: int = 1):
    batch = mujoco_batch.Batch(mujoco.MjModel.from_xml_string(xml), nsim, 1, persistent=True)
    batch.forward()
    return batch


def test_pictures_of_a_task_are_about_those_of_the_caster(works):
    pictures = {}
    for renderer in ("cast", "gl"):
        envs = gym.make_vec(REACH, 2, vectorization_mode="vector_entry_point", renderer=renderer, pixels=64)
        observations, _ = envs.reset(seed=0)
        pictures[renderer] = observations["policy"]["camera"].astype(int)
        observations, *_ = envs.step(envs.action_space.sample())
        assert not np.array_equal(observations["policy"]["camera"], pictures[renderer])
        envs.close()
    assert abs(pictures["gl"] - pictures["cast"]).mean() < 8


def test_every_simulation_has_its_own_poses_colours_cameras_and_lights(works):
    batch = batch_of(robot_scenes.ARM, 5)
    batch.bind("qpos")[1, 0] = 1.0
    batch.expand("geom_rgba")[2, :, :3] = [1, 0, 0]
    batch.expand("cam_fovy")[3] = 70
    batch.expand("light_active")[4] = 0
    batch.expand("geom_size")
    batch.forward()
    together = GlRenderer(batch, width=48, height=32).render("front")
    assert together.shape == (5, 32, 48, 3)
    for simulation in range(5):
        alone = mujoco_batch.Batch(batch.get_model(simulation), 1, 1)
        alone.bind("qpos")[:] = batch.bind("qpos")[simulation]
        assert np.array_equal(GlRenderer(alone, width=48, height=32).render("front")[0], together[simulation])
        if simulation:
            assert not np.array_equal(together[0], together[simulation])


MESH = """<mujoco><asset><mesh name="m" vertex="0 0 0 1 0 0 0 1 0 0 0 1" scale=".5 .5 .5"/></asset><worldbody>
  <geom name="rock" type="mesh" mesh="m" rgba="1 0 0 1"/><camera name="top" pos=".1 .1 2" fovy="30"/></worldbody>
  </mujoco>"""


def test_meshes_are_drawn_before_the_background(works):
    out = np.empty((1, 32, 32, 3), np.uint8)
    picture = GlRenderer(batch_of(MESH), width=32, height=32, background=GREY).render("top", out=out)
    assert picture is out
    assert picture[0, 0, 0].tolist() == [128, 128, 128]
    red = picture[0, 15, 17].astype(int)
    assert red[0] > 2 * red[1]
    with pytest.raises(SceneError, match=r"geom 'rock' is of type mesh; .* set `renderer: gl`"):
        cast.CastRenderer(batch_of(MESH), width=32, height=32)


def test_full_quality_has_shadows_and_a_sky_and_training_quality_has_not(works):
    xml = """<mujoco><asset><texture type="skybox" builtin="flat" rgb1="0 0 1" width="8" height="48"/></asset>
      <worldbody><light type="directional" dir="0 0 -1" castshadow="true"/><geom type="plane" size="1 1 .1"/>
      <geom type="box" pos="0 0 1" size=".3 .3 .01"/><camera name="c" pos="0 -3 2" xyaxes="1 0 0 0 .5 .86"/></worldbody>
      </mujoco>"""
    batch = batch_of(xml)
    made = {q: GlRenderer(batch, width=64, height=64, quality=q, background=GREY) for q in ("train", "full")}
    picture = {q: renderer.render("c")[0].astype(int) for q, renderer in made.items()}
    assert picture["train"][0, 0].tolist() == [128, 128, 128]
    assert picture["full"][0, 0].tolist() == [0, 0, 255]
    differs = (picture["train"] - picture["full"]).max(axis=-1) > 30
    assert differs[32:].mean() > 0.01, "a shadow lies on the plane"
    made["train"].close()
    assert np.array_equal(made["full"].render("c")[0], picture["full"]), "renderers of a process do not share a fate"


def test_the_preset_touches_a_copy_alone_and_moves_no_floor():
    model = mujoco.MjModel.from_xml_string(robot_scenes.ARM)
    before = model.geom_size.copy(), model.vis.quality.shadowsize, model.light_castshadow.copy()
    tuned = presets.for_training(model, 64, 64)
    assert np.array_equal(model.geom_size, before[0])
    assert (model.vis.quality.shadowsize, model.light_castshadow[0]) == (before[1], before[2][0])
    assert (tuned.vis.quality.shadowsize, tuned.vis.quality.offsamples, tuned.light_castshadow[0]) == (0, 0, 0)
    half = tuned.geom_size[0, :2]
    assert np.all(half >= model.vis.map.zfar * model.stat.extent), "it ends beyond what is seen"
    cells = half * model.mat_texrepeat[0]
    np.testing.assert_allclose(cells / 2, np.round(cells / 2), atol=1e-6)  # a texture has two cells


def test_a_floor_under_a_lamp_keeps_its_pieces():
    lit = robot_scenes.ARM.replace('type="directional"', 'type="spot"')
    tuned = presets.for_training(mujoco.MjModel.from_xml_string(lit), 64, 64)
    assert tuned.geom_size[0, 0] == 0


def test_a_camera_that_is_not_there_is_named(works):
    with pytest.raises(SceneError, match="no camera 'tpo'; did you mean top"):
        GlRenderer(batch_of(MESH), width=8, height=8).render("tpo")
    with pytest.raises(SceneError, match="no camera 'frnt'; did you mean front"):
        gym.make_vec(REACH, 1, vectorization_mode="vector_entry_point", renderer="gl", camera="frnt")


def test_the_first_platform_that_works_is_chosen_and_told_to_workers(unset, monkeypatch):
    asked = []

    def probe(platform):
        asked.append(platform)
        return Probe(platform, "llvmpipe" if platform == "osmesa" else "", "no display")

    monkeypatch.setattr(gl_platform, "probe", probe)
    assert gl_platform.choose() == gl_platform.choose() == "osmesa"
    assert asked == ["egl", "osmesa"]
    code = "from envs.robots.pictures import gl_platform; gl_platform.probe = None; print(gl_platform.choose())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "osmesa\n"
    assert os.environ[PYOPENGL_CHOICE] == "osmesa"


NOTHING_WORKS = [
    Probe("egl", "", "Cannot initialize a EGL device display", ("libegl1", "libegl-mesa0")),
    Probe("osmesa", "", "the driver hangs: no picture after 60 s"),
]


def test_no_opengl_is_a_message_that_says_what_to_install(unset, monkeypatch):
    monkeypatch.setattr(gl_platform, "probe", lambda name: next(p for p in NOTHING_WORKS if p.platform == name))
    message = r"egl: Cannot .* \(missing: libegl1 libegl-mesa0\); osmesa: .*hangs.*apt-get install libegl1 libegl-mesa0"
    with pytest.raises(SceneError, match=message + ".*`renderer: cast`"):
        gym.make_vec(REACH, 1, vectorization_mode="vector_entry_point", renderer="gl")
    assert CHOICE not in os.environ


def test_videos_are_drawn_by_the_caster_where_there_is_no_opengl(unset, monkeypatch, caplog):
    monkeypatch.setattr(gl_platform, "probe", lambda name: next(p for p in NOTHING_WORKS if p.platform == name))
    env = gym.make(REACH, render_mode="rgb_array", video_renderer="gl", pixels=None)
    env.reset(seed=0)
    assert env.render().shape == (256, 256, 3)
    assert "drawn by `cast`: `renderer: gl` needs OpenGL" in caplog.text


def test_a_choice_that_needs_a_display_is_refused(unset, monkeypatch):
    monkeypatch.setenv(CHOICE, "glfw")
    with pytest.raises(SceneError, match=r"MUJOCO_GL=glfw; .*must be egl or osmesa, or unset"):
        gl_platform.choose()


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import time; time.sleep(60)", "the driver hangs: no picture after 0.5 s"),
        ("import os; os.abort()", "the driver ended the process that tried it, with code -6"),
    ],
)
def test_a_driver_that_hangs_or_kills_harms_only_the_process_that_tries_it(program, problem, monkeypatch, tmp_path):
    script = tmp_path / "probe.py"
    script.write_text(program)
    monkeypatch.setattr(gl_probe, "__file__", str(script))
    found = gl_platform.probe.__wrapped__("egl", 0.5)
    assert (found.drawn_by, found.problem) == ("", problem)


def test_a_picture_that_is_never_finished_ends_the_process_with_a_message(works):
    code = f"""
import time, mujoco
from mujoco import batch
from envs.robots.pictures.gl import GlRenderer
made = batch.Batch(mujoco.MjModel.from_xml_string('''{MESH}'''), 1, 1, persistent=True)
made.forward()
renderer = GlRenderer(made, width=8, height=8, limit_s=1.0)
renderer.render("top")
time.sleep(1.5)
print("still there", flush=True)
mujoco.mjr_readPixels = lambda *_: time.sleep(60)
renderer.render("top")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == EXIT_CODE
    assert done.stdout == "still there\n", "time between pictures does not count"
    assert "has not finished a picture within 1 s; the OpenGL driver hangs" in done.stderr
    assert "_draw" in done.stderr, "where it hung"


def test_the_doctor_says_what_is_chosen_and_what_to_install():
    egl, osmesa = Probe("egl", "llvmpipe"), Probe("osmesa", "llvmpipe")
    assert judge([egl, osmesa], "") == ("ok", "egl is chosen; egl: llvmpipe; osmesa: llvmpipe", "")
    assert judge([NOTHING_WORKS[0], osmesa], "")[:2] == (
        "ok",
        "osmesa is chosen; egl: Cannot initialize a EGL device display (missing: libegl1 libegl-mesa0); "
        "osmesa: llvmpipe",
    )
    state, found, mend = judge(NOTHING_WORKS, "")
    assert (state, mend) == ("warn", "sudo apt-get install libegl1 libegl-mesa0")
    assert found.startswith("none: robots are drawn by `cast`")
    state, found, mend = judge([egl, osmesa], "glfw")
    assert (state, mend) == ("warn", "unset MUJOCO_GL    (then egl is chosen)")
