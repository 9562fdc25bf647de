"""A gantry over a bench, as MJCF: three slides, a turning hand, two slender fingers; and how actions move it."""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch

from envs.farm.seedlings.cameras import WRIST
from envs.robots.task import Array

NUM_JOINTS = 4
"""Slides along x, y, z, and the hand's turn."""
MAX_STEP_M, MAX_TURN_RAD = 0.02, np.deg2rad(5.0)
"""What an action of 1 moves and turns the hand in one control step."""
OPENING_M = 0.02
"""Between the middle and each finger's pad when the gripper is open."""
HOME_M = np.array([0.48, 0.0, 0.20])
"""Of the point between the fingers' tips, above the bench."""
FINGER_NM = 1000.0
"""Stiffness of a finger's servo (N/m): closed on nothing it would be at `OPENING_M`."""
GRASP_M = 0.009
"""Above a plug's middle: where the point between the fingers' tips is when they hold it."""
FINGERS = {"left": 1, "right": -1}

_REACH_M = ((-0.24, 0.24), (-0.36, 0.36), (-0.17, 0.06))
_SPEED_GAIN = (300.0, 300.0, 300.0, 1.0)
_MAX_FORCE = (80.0, 80.0, 80.0, 3.0)
_STEEL, _DARK, _ORANGE, _CYAN = (f'rgba="{c} 1"' for c in (".80 .82 .86", ".16 .17 .20", ".96 .52 .12", ".15 .75 .88"))


def body(ground: str, fingers: str) -> str:
    """Return the gantry; `fingers` says what its fingers collide with, `ground` what else does with nothing."""
    x, y, z = HOME_M
    rails = "".join(
        f'<geom type="capsule" size=".012" fromto="{x - 0.36} {side * 0.46} .30 {x + 0.36} {side * 0.46} .30" '
        f"{_STEEL} {ground}/>"
        for side in (-1, 1)
    )
    return f"""{rails}
    <body name="bridge" pos="{x} {y} {z}" gravcomp="1">{_slide(0, "1 0 0")}
      <geom type="box" size=".014 .46 .014" pos="-.05 0 {0.42 - z}" mass="1" {_ORANGE} {ground}/>
      <body name="carriage" gravcomp="1">{_slide(1, "0 1 0")}
        <geom type="box" size=".035 .03 .03" pos="-.03 0 {0.42 - z}" mass=".4" {_DARK} {ground}/>
        <body name="column" gravcomp="1">{_slide(2, "0 0 1")}
          <geom type="capsule" size=".010" fromto="0 0 .13 0 0 .34" mass=".3" {_STEEL} {ground}/>
          <body name="palm" gravcomp="1">
            <joint name="turn" type="hinge" axis="0 0 1" range="-45 45" limited="true" damping=".1" armature=".002"/>
            <geom name="palm" type="box" size=".016 .034 .012" pos="0 0 .115" mass=".2" {_ORANGE} {ground}/>
            <site name="grip"/>
            {WRIST.mjcf("wrist")}
            {"".join(_finger(name, side, fingers) for name, side in FINGERS.items())}
          </body>
        </body>
      </body>
    </body>"""


def _slide(number: int, axis: str) -> str:
    low, high = _REACH_M[number]
    return (
        f'<joint name="slide{number}" type="slide" axis="{axis}" range="{low} {high}" limited="true" damping="2" '
        f'armature=".5"/>'
    )


def _finger(name: str, side: int, collides: str) -> str:
    return (
        f'<body name="{name}_finger" pos="0 {side * OPENING_M} 0" gravcomp="1">'
        f'<joint name="{name}_finger" type="slide" axis="0 {-side} 0" range="0 {OPENING_M}" limited="true" '
        f'damping="8" armature=".05"/>'
        f'<geom name="{name}_finger" type="box" size=".009 .002 .056" pos="0 {side * 0.002} .048" mass=".03" '
        f'condim="4" friction="1.2 .005 .0001" {_CYAN} {collides}/></body>'
    )


def actuators() -> str:
    """Return servos of the slides' and the turn's speeds, and of how far each finger is closed (m)."""
    names = ("slide0", "slide1", "slide2", "turn")
    speeds = "".join(
        f'<general joint="{name}" gainprm="{gain + drag}" biastype="affine" biasprm="0 0 {-gain}" forcelimited="true" '
        f'forcerange="{-force} {force}"/>'
        for name, gain, drag, force in zip(names, _SPEED_GAIN, (2, 2, 2, 0.1), _MAX_FORCE, strict=True)
    )
    return speeds + "".join(
        f'<position joint="{name}_finger" kp="{FINGER_NM}" kv="20" ctrllimited="true" ctrlrange="0 {OPENING_M}" '
        f'forcelimited="true" forcerange="-40 40"/>'
        for name in FINGERS
    )


class Gantry:
    """The gantries of a batch.

    actions         [N, 5]   displacement of the hand along x, y, z per control step (in `MAX_STEP_M`), its turn (in
                             `MAX_TURN_RAD`), and how far the fingers are ordered to be from the middle: -1 for 0, 1
                             for `OPENING_M`
    proprioception  [N, 10]  the hand (3, m), its turn (rad), their speeds (4, m/s and rad/s), each finger's distance
                             from the middle (2, m), which is less than ordered where it holds something
    """

    num_actions = 5
    opening_m = OPENING_M
    grasp_m = GRASP_M
    stiffness_n_m = FINGER_NM

    def __init__(self, batch: Batch, step_s: float) -> None:
        self.step_s = step_s
        self._qpos, self._qvel, self._ctrl = batch.bind("qpos"), batch.bind("qvel"), batch.bind("ctrl")
        self.hand: Array = batch.bind("site_xpos")[:, batch.model.site("grip").id]
        """The point between the fingers' tips [N, 3]."""

    @property
    def turn(self) -> Array:
        """The hand's turn [N] (rad)."""
        turn: Array = self._qpos[:, 3]
        return turn

    @property
    def half_width(self) -> Array:
        """How far the fingers are from the middle, their mean [N] (m)."""
        width: Array = OPENING_M - self._qpos[:, NUM_JOINTS : NUM_JOINTS + 2].mean(axis=1)
        return width

    def place(self, simulation: int, generator: np.random.Generator) -> None:
        """Write where an episode starts: near `HOME_M`."""
        self._qpos[simulation, :3] = generator.uniform(-0.03, 0.03, 3)
        self._qpos[simulation, 3] = generator.uniform(-0.1, 0.1)

    def actuate(self, actions: Array) -> None:
        """Write `ctrl` for a control step."""
        self._ctrl[:, :3] = actions[:, :3] * (MAX_STEP_M / self.step_s)
        self._ctrl[:, 3] = actions[:, 3] * (MAX_TURN_RAD / self.step_s)
        self._ctrl[:, NUM_JOINTS:] = (1 - actions[:, 4:]) * (OPENING_M / 2)

    def actions(self, velocity: Array, turn_speed: Array, half_width: Array) -> Array:
        """Return the actions [N, 5] that give the hand a velocity [N, 3] (m/s) and a turn [N] (rad/s).

        `half_width` [N] (m): what the fingers are ordered to be from the middle; below what they hold they squeeze.
        """
        return as_actions(velocity, turn_speed, half_width, self.step_s)

    def proprioception(self) -> Array:
        """Return what the gantry's own sensors read."""
        q, v = self._qpos, self._qvel
        widths = OPENING_M - q[:, NUM_JOINTS : NUM_JOINTS + 2]
        return np.concatenate([self.hand, q[:, 3:4], v[:, :NUM_JOINTS], widths], axis=1)


def as_actions(velocity: Array, turn_speed: Array, half_width: Array, step_s: float) -> Array:
    """Return the actions [N, 5] of `Gantry.actions`, for control steps of `step_s`."""
    moves = velocity * (step_s / MAX_STEP_M)
    turns = turn_speed * (step_s / MAX_TURN_RAD)
    opening = half_width * (2 / OPENING_M) - 1
    return np.concatenate([moves, turns[:, None], opening[:, None]], axis=1).clip(-1, 1)
