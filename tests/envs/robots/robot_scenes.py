"""Scenes of primitive shapes for tests of rendering. As a program: draws them with MuJoCo's own renderer.

`python robot_scenes.py OUT.npz NAME...` writes colours, depth and segmentation of each scene, 64x64.
"""

import sys
from pathlib import Path

import mujoco
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from envs.robots.names import task_names
from envs.robots.vector import RobotVectorEnv

SIZE = 64
VISUAL = '<visual><quality shadowsize="0" offsamples="0" numslices="64" numstacks="48"/></visual>'

ARM = """
<mujoco model="arm">
  <asset>
    <texture name="checker" type="2d" builtin="checker" rgb1=".32 .36 .42" rgb2=".22 .25 .3" width="64" height="64"/>
    <material name="floor" texture="checker" texrepeat="5 5" texuniform="true" specular="0.1"/>
  </asset>
  <default>
    <joint type="hinge" axis="0 1 0" damping="1"/>
    <geom rgba=".85 .85 .87 1"/>
    <default class="link"><geom type="capsule" size=".04"/></default>
    <default class="finger"><geom type="box" size=".01 .02 .035" rgba=".25 .25 .28 1"/></default>
  </default>
  <worldbody>
    <light name="lamp" type="directional" pos="0 0 2" dir="-.3 .4 -1" diffuse=".7 .7 .7" specular=".3 .3 .3"/>
    <camera name="front" pos=".95 -.75 .7" xyaxes=".63 .77 0 -.33 .27 .9" fovy="50"/>
    <geom name="floor" type="plane" size="0 0 .05" material="floor" rgba="1 1 1 1"/>
    <geom name="table" type="box" size=".35 .35 .02" pos=".45 0 .02" rgba=".55 .4 .28 1"/>
    <geom name="cube" type="box" size=".03 .03 .03" pos=".45 .18 .07" rgba=".85 .2 .15 1"/>
    <geom name="goal" type="sphere" size=".035" pos=".42 -.16 .3" rgba=".2 .75 .3 1"/>
    <body name="shoulder" pos="0 0 .1">
      <joint axis="0 0 1"/>
      <geom class="link" fromto="0 0 -.1 0 0 .1" size=".06"/>
      <geom type="sphere" size=".065" pos="0 0 .15" rgba=".95 .55 .15 1"/>
      <body pos="0 0 .15">
        <joint range="-90 90"/>
        <geom class="link" fromto="0 0 0 0 0 .28"/>
        <geom type="sphere" size=".055" pos="0 0 .28" rgba=".95 .55 .15 1"/>
        <body pos="0 0 .28">
          <joint range="-90 90"/>
          <geom class="link" fromto="0 0 0 .22 0 0"/>
          <body pos=".22 0 0">
            <joint axis="1 0 0"/>
            <geom class="link" fromto="0 0 0 .1 0 0" size=".035"/>
            <body pos=".1 0 0">
              <joint/>
              <geom class="link" fromto="0 0 0 0 0 -.08" size=".03"/>
              <body pos="0 0 -.08">
                <joint axis="0 0 1"/>
                <geom class="link" fromto="0 -.045 -.02 0 .045 -.02" size=".022"/>
                <geom class="finger" pos="0 -.04 -.07"/>
                <geom class="finger" pos="0 .04 -.07"/>
              </body>
            </body>
          </body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
"""An endless floor, six capsules, three spheres and four boxes."""


def random_scene(seed: int) -> str:
    """A floor with two geoms of every shape upon it, some cut by others, under a lamp, a spot and the headlight."""
    rng = np.random.default_rng(seed)
    shapes = ["sphere", "capsule", "cylinder", "box", "ellipsoid"] * 2
    geoms = []
    for number, shape in enumerate(shapes):
        pos, euler = rng.uniform([-0.8, -0.8, 0.05], [0.8, 0.8, 0.8]), rng.uniform(-180, 180, 3)
        rgb = rng.uniform(0.2, 1, 3)
        geoms.append(
            f'<geom name="{shape}{number}" type="{shape}" size="{_text(rng.uniform(0.1, 0.25, 3))}" '
            f'pos="{_text(pos)}" euler="{_text(euler)}" rgba="{_text(rgb)} 1"/>'
        )
    return f"""<mujoco>{VISUAL}
      <asset><texture name="checker" type="2d" builtin="checker" rgb1=".8 .8 .8" rgb2=".2 .3 .4" width="64"
          height="64"/>
        <material name="floor" texture="checker" texrepeat="2.3 3" texuniform="{rng.choice(["true", "false"])}"/>
      </asset>
      <worldbody>
        <light type="directional" dir=".3 .5 -1" diffuse=".5 .5 .5" castshadow="false"/>
        <light pos=".5 -1 2" dir="-.3 .5 -1" cutoff="40" exponent="5" diffuse=".4 .2 .2" castshadow="false"/>
        <camera name="front" pos="0 -2.4 1.4" xyaxes="1 0 0 0 .45 .9" fovy="50"/>
        <camera name="top" pos=".2 .1 3" fovy="40"/>
        <geom name="floor" type="plane" size="{rng.choice(["0 0 .05", "1.2 .9 .05"])}" material="floor"/>
        {"".join(geoms)}
      </worldbody></mujoco>"""


def _text(numbers: np.ndarray) -> str:
    return " ".join(f"{number:.4f}" for number in numbers)


def scenes() -> list[str]:
    """Return the names of all scenes: `top` and `random` ones, and one of every robot task."""
    return ["arm", "random0", "random1", "random2", "top", *task_names()]


def simulation(name: str) -> tuple[mujoco.MjModel, mujoco.MjData, str]:
    """Return a scene's model, its state, and the camera that looks at it."""
    if name in task_names():
        return (*task_simulation(name), "front")
    xml = {"arm": ARM.replace("<asset>", VISUAL + "<asset>", 1), "top": random_scene(3)}.get(name)
    model = mujoco.MjModel.from_xml_string(xml or random_scene(int(name.removeprefix("random"))))
    return model, mujoco.MjData(model), "top" if name == "top" else "front"


def task_simulation(name: str) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """Return a robot task a second after its start, with distractors and colours of its own."""
    world = {"num_distractors": 5, "colour": 0.1, "texture": True, "camera_angle_deg": 2}
    env = RobotVectorEnv(task=name, pixels=None, randomisation=world)
    env.reset(seed=4)
    for _ in range(round(1 / env.decision_s)):
        env.step(env.expert_actions())
    model, data = env.physics.batch.get_model(0), env.physics.batch.get_data(0)
    quality = model.vis.quality
    quality.shadowsize, quality.offsamples, quality.numslices, quality.numstacks = 0, 0, 64, 48
    return model, data


def main() -> None:
    out, *names = sys.argv[1:]
    arrays = {}
    for name in names:
        model, data, camera = simulation(name)
        mujoco.mj_forward(model, data)
        with mujoco.Renderer(model, SIZE, SIZE) as renderer:
            renderer.update_scene(data, camera)
            arrays[f"{name}.rgb"] = renderer.render()
            renderer.enable_depth_rendering()
            arrays[f"{name}.depth"] = renderer.render()
            renderer.enable_segmentation_rendering()
            arrays[f"{name}.segmentation"] = renderer.render()[..., 0]
    np.savez(out, **arrays)


if __name__ == "__main__":
    main()
