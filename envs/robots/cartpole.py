"""A cart on a rail with a pole, rewarded as in dm_control's suite (Tassa et al. 2018, arXiv 1801.00690, `cartpole`)."""

from __future__ import annotations

import copy

import mujoco
import numpy as np
from mujoco.batch import Batch
from scipy.linalg import solve_discrete_are

from envs.robots import scenery
from envs.robots.settings import RobotSettings
from envs.robots.task import Array, Flags, Task, Terms

FORCE_N = 10.0
GRAVITY = 9.81
_GAUSSIAN_AT_MARGIN = np.sqrt(-2 * np.log(0.1))
"""`tolerance` of dm_control is 0.1 at its margin."""


class Cartpole(Task):
    """The robot has no sensors but the camera. An episode lasts 10 s, and its return is at most 1,000.

    actions     [N, 1]  force on the cart, in 10 N
    privileged  [N, 5]  position of the cart (m), cosine and sine of the pole's angle (0: upright), velocities
    """

    substeps = 1
    num_steps = 1000
    num_actions = 1
    distractor_areas = (((-1.6, 0.6, 0.1), (1.6, 1.5, 0.8)),)

    def __init__(self, batch: Batch, settings: RobotSettings) -> None:
        super().__init__(batch, settings)
        self._qpos, self._qvel = batch.bind("qpos"), batch.bind("qvel")
        self._gain = balancing_gain(self.model)

    @classmethod
    def scene(cls, settings: RobotSettings) -> str:
        """Return a rail of 3.6 m, a cart of 1 kg, and a pole of 1 m and 0.1 kg.

        Pole and rail are thicker than a pixel of a picture of 32x32, which is 12 cm there: else they vanish between
        its rays.
        """
        return f"""
        <mujoco model="cartpole">
          <size memory="200K"/>
          <option timestep="0.01" integrator="RK4"><flag contact="disable" energy="disable"/></option>
          {scenery.assets(2.0)}
          <default>
            <default class="pole"><joint type="hinge" axis="0 1 0" damping="2e-6"/>
              <geom type="capsule" size="0.07" fromto="0 0 0 0 0 1" mass="0.1" rgba=".9 .55 .2 1"/></default>
          </default>
          <worldbody>
            <light type="directional" pos="0 0 6" dir=".2 .7 -1" diffuse=".6 .6 .6" ambient=".3 .3 .3"/>
            <camera name="front" pos="0 -4 1" xyaxes="1 0 0 0 0 1" fovy="50"/>
            <geom name="{scenery.FLOOR}" type="plane" size="4 4 .1" pos="0 0 -.05" material="{scenery.FLOOR}0"/>
            <geom name="rail" type="capsule" size="0.065" fromto="-2 .08 1 2 .08 1" rgba=".35 .38 .42 1"/>
            {scenery.distractors(settings)}
            <body name="cart" pos="0 0 1">
              <joint name="slider" type="slide" axis="1 0 0" limited="true" range="-1.8 1.8" damping="5e-4"
                solreflimit=".08 1"/>
              <geom name="cart" type="box" size="0.2 0.15 0.1" mass="1" rgba=".2 .25 .6 1"/>
              <body name="pole" childclass="pole"><joint name="hinge"/><geom name="pole"/></body>
            </body>
          </worldbody>
          <actuator>
            <motor name="slide" joint="slider" gear="{FORCE_N}" ctrllimited="true" ctrlrange="-1 1"/>
          </actuator>
        </mujoco>"""

    def actuate(self, actions: Array) -> None:
        self.batch.ctrl = actions

    def privileged(self) -> Array:
        angle = self._qpos[:, 1]
        return np.stack([self._qpos[:, 0], np.cos(angle), np.sin(angle), self._qvel[:, 0], self._qvel[:, 1]], axis=-1)

    def reward_terms(self, actions: Array) -> Terms:
        factors = self.measures()
        small_control = (4 + (1 - actions[:, 0] ** 2).clip(0)) / 5  # quadratic, 0 at its margin
        return {"balance": factors["upright"] * factors["centred"] * factors["slow"] * small_control}

    def measures(self) -> Terms:
        """Return three of the four factors of the reward, each in [0, 1]."""
        return {
            "upright": (np.cos(self._qpos[:, 1]) + 1) / 2,
            "centred": (1 + _tolerance(self._qpos[:, 0], margin=2)) / 2,
            "slow": (1 + _tolerance(self._qvel[:, 1], margin=5)) / 2,
        }

    def success(self) -> Flags:
        """Return where the reward of dm_control's sparse variant is paid: within 25 cm, and upright to 5.7 degrees."""
        flags: Flags = (np.abs(self._qpos[:, 0]) < 0.25) & (np.cos(self._qpos[:, 1]) > 0.995)
        return flags

    def expert(self) -> Array:
        """Hold the pole by a linear controller where it is nearly upright; elsewhere give it the energy to get there.

        The energy of the pole is pumped as by Astrom and Furuta (Automatica 36, 2000), the cart drawn to the middle.
        """
        position, angle = self._qpos[:, 0], _wrapped(self._qpos[:, 1])
        speed, spin = self._qvel[:, 0], self._qvel[:, 1]
        linear = -np.stack([position, angle, speed, spin], axis=-1) @ self._gain
        energy = spin**2 / 2 + 1.5 * GRAVITY * (np.cos(angle) - 1)  # of a thin rod of 1 m, over its inertia; 0: upright
        pump = 0.25 * np.clip(energy, -8, 8) * np.sign(spin * np.cos(angle) + 1e-9)
        pump = pump - 0.25 * position - 0.15 * speed
        near = (np.abs(angle) < 0.35) & (np.abs(spin) < 3.0)
        return np.where(near, linear, pump)[:, None].clip(-1, 1)


def balancing_gain(model: mujoco.MjModel) -> Array:
    """Return the gain [4] of the linear-quadratic regulator about the upright pole at rest."""
    model = copy.copy(model)
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER  # RK4 has no derivatives; at these steps they are alike
    data = mujoco.MjData(model)
    states, controls = np.zeros((4, 4)), np.zeros((4, 1))
    mujoco.mjd_transitionFD(model, data, 1e-6, True, states, controls, None, None)
    cost = np.diag([1.0, 4.0, 0.1, 0.1])
    ahead = solve_discrete_are(states, controls, cost, np.array([[1.0]]))
    gain: Array = np.linalg.solve(controls.T @ ahead @ controls + 1.0, controls.T @ ahead @ states)[0]
    return gain


def _tolerance(value: Array, *, margin: float) -> Array:
    weight: Array = np.exp(-0.5 * (value / margin * _GAUSSIAN_AT_MARGIN) ** 2)
    return weight


def _wrapped(angle: Array) -> Array:
    """Return the angle in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
