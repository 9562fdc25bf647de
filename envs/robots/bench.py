"""How fast pictures are: `rlplat bench render`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from envs.robots.cast import CastRenderer
from rlplat.reports import Result

NUM_SIMULATIONS = 32
PIXELS = (32, 64, 84)

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
"""A floor, six capsules, three spheres and four boxes, as the tasks with an arm have them."""


def arm_batch(num_simulations: int = NUM_SIMULATIONS, *, seed: int = 0) -> mujoco_batch.Batch:
    """Return simulations of the arm in random poses."""
    batch = mujoco_batch.Batch(mujoco.MjModel.from_xml_string(ARM), num_simulations, 1)
    for field in ("geom_xpos", "geom_xmat", "cam_xpos", "cam_xmat", "light_xpos", "light_xdir"):
        batch.bind(field)
    batch.bind("qpos")[:] = np.random.default_rng(seed).uniform(-0.6, 0.6, batch.bind("qpos").shape)
    batch.forward()
    return batch


def render(*, rounds: int = 30, pixels: tuple[int, ...] = PIXELS) -> list[Result]:
    """`render.<scene>.<pixels>.cast`: milliseconds of processor time per picture on one core.

    A turn draws 32 simulations of the arm in random poses. The least of `rounds` turns counts: processor time is not
    that of others, but their use of the caches only ever adds to it. `trace_ms` is the part that finds out what is
    seen where; `shadows_ms` and `supersampling_ms` are what a picture takes with these.
    """
    results = []
    for size in pixels:
        batch = arm_batch()
        kinds: dict[str, Callable[[], object]] = {}
        for name, options in {
            "plain": {},
            "shadows": {"shadows": True},
            "supersampling": {"supersampling": True},
        }.items():
            renderer = CastRenderer(batch, width=size, height=size, **options)
            out = np.empty((batch.nsim, size, size, 3), np.uint8)
            kinds[name] = lambda renderer=renderer, out=out: renderer.render("front", out=out)
            if name == "plain":
                kinds["trace"] = lambda renderer=renderer: renderer.render_depth("front")
        spent = _alternate(kinds, rounds)
        best = {name: 1e3 * min(seconds) / batch.nsim for name, seconds in spent.items()}
        fields = {f"{name}_ms": best[name] for name in ("trace", "shadows", "supersampling")}
        results.append(
            Result(
                f"render.arm.{size}.cast",
                best["plain"],
                "ms",
                median_ms=1e3 * statistics.median(spent["plain"]) / batch.nsim,
                seconds=sum(map(sum, spent.values())),
                threads=1,
                simulations=batch.nsim,
                **fields,
            )
        )
    return results


def _alternate(kinds: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return processor seconds of each turn, after one round that warms up."""
    spent: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(rounds + 1):
        for name, work in kinds.items():
            start = time.process_time()
            work()
            if turn:
                spent[name].append(time.process_time() - start)
    return spent
