"""The arm of the robots' tasks over the bench: what SeedlingTransplant asks of a robot, see `gantry.Gantry`."""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch

from envs.farm.seedlings.cameras import Camera
from envs.robots.arm import arm
from envs.robots.arm.control import CartesianControl, Kinematics
from envs.robots.arm.task import START_NOISE_RAD
from envs.robots.task import Array

WRIST = Camera((0.095, 0.0, 0.078), (0.0, 0.0, -0.01), 75.0)
"""From below the palm, seen from the point between the fingers, down on that point."""
_GRIP_M = -0.075
"""Height of the point between the fingers in the palm."""


def body(fingers: str) -> str:
    """Return the arm as MJCF, with the camera `wrist`; `fingers` says what its fingers collide with."""
    camera = WRIST.mjcf("wrist", offset_m=(0.0, 0.0, _GRIP_M))
    return arm.body(movable_fingers=True, fingers_collide=fingers, in_palm=camera)


def actuators() -> str:
    """Return the servos of joints and fingers as MJCF."""
    return CartesianControl.actuators() + arm.finger_actuators()


class TransplantingArm:
    """The arms of a batch.

    actions         [N, 4]   displacement of the hand along x, y, z per control step (in `arm.control.MAX_STEP_M`), and
                             how far the fingers are ordered to be from the middle: -1 for 0, 1 for `opening_m`
    proprioception  [N, 17]  joint angles (6, rad), their speeds (6, rad/s), the hand (3, m), each finger's distance
                             from the middle (2, m)
    """

    num_actions = 4
    opening_m = arm.OPENING_M
    stiffness_n_m = 1000.0
    grasp_m = 0.023
    """Its fingers reach further down than those of the gantry."""

    def __init__(self, batch: Batch, step_s: float) -> None:
        self._qpos, self._qvel, self._ctrl = batch.bind("qpos"), batch.bind("qvel"), batch.bind("ctrl")
        kinematics = Kinematics(batch)
        self.hand = kinematics.hand
        """The point between the fingers [N, 3]."""
        self._control = CartesianControl(batch, kinematics, step_s)

    @property
    def turn(self) -> Array:
        """The hand's turn [N] (rad): it is held at 0."""
        return np.zeros(len(self.hand))

    @property
    def half_width(self) -> Array:
        """How far the fingers are from the middle, their mean [N] (m)."""
        width: Array = self._widths().mean(axis=1)
        return width

    def place(self, simulation: int, generator: np.random.Generator) -> None:
        """Write where an episode starts: about the home pose."""
        noise = START_NOISE_RAD * generator.standard_normal(arm.NUM_JOINTS)
        self._qpos[simulation, : arm.NUM_JOINTS] = arm.HOME_RAD + noise

    def actuate(self, actions: Array) -> None:
        """Write `ctrl` for a control step."""
        self._ctrl[:, : arm.NUM_JOINTS] = self._control.orders(actions[:, :3])
        self._ctrl[:, arm.NUM_JOINTS :] = (1 - actions[:, 3:]) * (arm.OPENING_M / 2)

    def actions(self, velocity: Array, turn_speed: Array, half_width: Array) -> Array:
        """Return the actions [N, 4] that give the hand a velocity [N, 3] (m/s); it does not turn.

        `half_width` [N] (m): what the fingers are ordered to be from the middle; below what they hold they squeeze.
        """
        opening = half_width * (2 / arm.OPENING_M) - 1
        return np.concatenate([self._control.actions(velocity), opening[:, None]], axis=1).clip(-1, 1)

    def proprioception(self) -> Array:
        """Return what the arm's own sensors read."""
        num = arm.NUM_JOINTS
        return np.concatenate([self._qpos[:, :num], self._qvel[:, :num], self.hand, self._widths()], axis=1)

    def _widths(self) -> Array:
        widths: Array = arm.OPENING_M - self._qpos[:, arm.NUM_JOINTS : arm.NUM_JOINTS + 2]
        return widths
