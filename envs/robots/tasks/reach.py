"""Reach: bring the hand to a ball that stands somewhere in the air, and hold it there."""

from __future__ import annotations

import numpy as np

from envs.robots.arm.arm import NEVER_COLLIDES
from envs.robots.arm.positions import draw_position
from envs.robots.arm.task import ArmTask, length
from envs.robots.task import Array, Flags, Terms

NEAR_M = 0.02
APPROACH_PER_S = 7.0
"""Share of the distance that the expert covers per second."""


class Reach(ArmTask):
    """The ball stands on a foot: one camera sees where on the floor that is, but not how far away a ball is.

    privileged  [N, 24]  from the hand to the ball (3, m), ball (3), hand (3), proprioception (15)
    """

    num_steps = 60

    @classmethod
    def objects(cls) -> str:
        return f"""
        <body name="target" mocap="true" pos=".5 0 .2">
          <geom name="target" type="sphere" size=".042" rgba=".9 .1 .12 1" {NEVER_COLLIDES}/>
          <geom name="rod" type="capsule" size=".01" fromto="0 0 -.4 0 0 0" rgba=".92 .93 .9 1" {NEVER_COLLIDES}/>
        </body>
        <body name="foot" mocap="true" pos=".5 0 .004">
          <geom name="foot" type="cylinder" size=".05 .004" rgba=".15 .8 .3 1" {NEVER_COLLIDES}/>
        </body>"""

    def place_objects(self, simulation: int, generator: np.random.Generator) -> None:
        target = draw_position(generator, *self.area, self.settings.positions)
        self._mocap[simulation, 0] = target
        self._mocap[simulation, 1, :2] = target[:2]

    def privileged(self) -> Array:
        target, hand = self._target, self.kinematics.hand
        return np.concatenate([target - hand, target, hand, self.proprioception()], axis=1)

    def reward_terms(self, actions: Array) -> Terms:
        """Return terms that add up to at most 1 for each control step."""
        distance = self._distance()
        return {
            "near": 0.5 * (1 - np.tanh(distance / 0.15)),
            "there": 0.5 * np.exp(-((distance / NEAR_M) ** 2)),
            "effort": self.effort(actions),
        }

    def measures(self) -> Terms:
        return {"distance_m": self._distance()}

    def success(self) -> Flags:
        flags: Flags = self._distance() < NEAR_M
        return flags

    def expert(self) -> Array:
        return self.control.actions(APPROACH_PER_S * (self._target - self.kinematics.hand)).clip(-1, 1)

    @property
    def _target(self) -> Array:
        return self._mocap[:, 0]

    def _distance(self) -> Array:
        return length(self._target - self.kinematics.hand)
