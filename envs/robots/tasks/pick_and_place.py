"""PickAndPlace: lift a cube, carry it to a goal, and put it down there."""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch

from envs.robots.arm.arm import OBJECT_COLLIDES, OPENING_M
from envs.robots.arm.object_task import ObjectTask, funnel
from envs.robots.arm.task import ArmSettings
from envs.robots.task import Array, Flags, Terms

HALF_M = 0.03
"""Of the cube's edge."""
LIFTED_M = 0.10
"""The cube must have been so far above the floor."""
NEAR_M = 0.02
CARRY_M = 0.15
"""Height of the hand when the expert carries the cube."""


class PickAndPlace(ObjectTask):
    """The last number of `privileged` [N, 37] is how far above the floor (m) the cube has been in this episode.

    It is a part of the state of the physics (`userdata`), so it is kept, restored and taken back with it.
    """

    num_steps = 120
    has_gripper = True
    half_size_m = HALF_M
    goal_radius_m = 0.06
    least_way_m = 0.15

    def __init__(self, batch: Batch, settings: ArmSettings) -> None:
        super().__init__(batch, settings)
        self._highest = batch.bind("userdata")[:, 0]

    @classmethod
    def objects(cls) -> str:
        return f"""{cls.goal()}
        <body name="object" pos=".5 0 {HALF_M}"><freejoint/>
          <geom name="object" type="box" size="{HALF_M} {HALF_M} {HALF_M}" mass=".1" condim="4" friction="1 .01 .0001"
            rgba=".9 .1 .12 1" {OBJECT_COLLIDES}/>
        </body>"""

    def actuate(self, actions: Array) -> None:
        super().actuate(actions)
        self._highest[:] = self.highest()

    def privileged(self) -> Array:
        return np.concatenate([super().privileged(), self.highest()[:, None]], axis=1)

    def highest(self) -> Array:
        """Return how far above the floor the cube has been [N] (m)."""
        return np.maximum(self._highest, self._object[:, 2] - HALF_M)

    def reward_terms(self, actions: Array) -> Terms:
        """Return terms that add up to at most 1 for each control step."""
        distance, height = self.distance_to_goal(), self._object[:, 2] - HALF_M
        lifted = (self.highest() / LIFTED_M).clip(0, 1)
        off = np.sqrt(distance**2 + height**2)
        return {
            "approach": 0.15 * (1 - np.tanh(self.distance_to_object() / 0.15)),
            "lift": 0.25 * lifted,
            "carry": 0.25 * lifted * (1 - np.tanh(distance / 0.15)),
            "place": 0.35 * (lifted >= 1) * np.exp(-((off / NEAR_M) ** 2)),
            "effort": self.effort(actions),
        }

    def measures(self) -> Terms:
        return {"distance_m": self.distance_to_goal(), "highest_m": self.highest()}

    def success(self) -> Flags:
        """Return where the cube stands on the floor at the goal, having been lifted."""
        stands = self._object[:, 2] < HALF_M + 0.01
        flags: Flags = (self.distance_to_goal() < NEAR_M) & stands & (self.highest() >= LIFTED_M)
        return flags

    def expert(self) -> Array:
        """Decide from the state alone, so that every state that somebody else comes to has its answer."""
        hand, cube = self.kinematics.hand, self._object
        goal, lifted = self.distance_to_goal(), self.highest() >= LIFTED_M
        aside = np.hypot(hand[:, 0] - cube[:, 0], hand[:, 1] - cube[:, 1])
        around = (aside < 0.015) & (np.abs(hand[:, 2] - cube[:, 2]) < 0.02)
        width = OPENING_M - self._qpos[:, 6:8].mean(axis=1)
        held = around & (width < HALF_M + 0.002)
        done = lifted & (goal < 0.012) & (cube[:, 2] < HALF_M + 0.005)

        fetch = self.towards(cube[:, :2], funnel(aside, cube[:, 2], cube[:, 2] + 0.1, width=0.008))
        lower = np.where(lifted, funnel(goal, hand[:, 2] - cube[:, 2] + HALF_M, CARRY_M, width=0.006), CARRY_M)
        carry = self.towards(hand[:, :2] + self._goal - cube[:, :2], lower)
        leave = self.towards(hand[:, :2], np.full(len(hand), CARRY_M))
        velocity = np.where(held[:, None], carry, fetch)
        velocity = np.where(done[:, None], np.where(width[:, None] < HALF_M + 0.006, 0.0, leave), velocity)
        opening = np.where(around & ~done, -1.0, 1.0)
        return np.concatenate([self.control.actions(velocity), opening[:, None]], axis=1).clip(-1, 1)
