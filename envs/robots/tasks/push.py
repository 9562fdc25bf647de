"""Push: push a block over the floor to a goal."""

from __future__ import annotations

import numpy as np

from envs.robots.arm.arm import OBJECT_COLLIDES
from envs.robots.arm.object_task import ObjectTask, funnel
from envs.robots.task import Array, Flags, Terms

HALF_M = 0.035
"""Of the block's height."""
RADIUS_M = 0.045
"""Of the block."""
NEAR_M = 0.03
PUSH_HEIGHT_M = 0.035
"""Of the hand when the expert pushes."""


class Push(ObjectTask):
    """The fingers are closed. Whoever is within 3 cm of the goal has pushed the block at least 10 cm."""

    num_steps = 120
    half_size_m = HALF_M
    goal_radius_m = 0.07
    least_way_m = 0.13

    @classmethod
    def objects(cls) -> str:
        return f"""{cls.goal()}
        <body name="object" pos=".5 0 {HALF_M}"><freejoint/>
          <geom name="object" type="cylinder" size="{RADIUS_M} {HALF_M}" mass=".2" priority="1"
            friction=".3 .005 .0001" rgba=".9 .1 .12 1" {OBJECT_COLLIDES}/>
        </body>"""

    def reward_terms(self, actions: Array) -> Terms:
        """Return terms that add up to at most 1 for each control step."""
        distance = self.distance_to_goal()
        return {
            "approach": 0.2 * (1 - np.tanh(self.distance_to_object() / 0.15)),
            "push": 0.4 * (1 - np.tanh(distance / 0.15)),
            "there": 0.4 * np.exp(-((distance / NEAR_M) ** 2)),
            "effort": self.effort(actions),
        }

    def measures(self) -> Terms:
        return {"distance_m": self.distance_to_goal()}

    def success(self) -> Flags:
        flags: Flags = self.distance_to_goal() < NEAR_M
        return flags

    def expert(self) -> Array:
        """Go down behind the block and push it through its middle; leave it when it is there."""
        hand, block = self.kinematics.hand[:, :2], self._object[:, :2]
        distance = self.distance_to_goal()
        ahead = (self._goal - block) / np.maximum(distance, 1e-6)[:, None]
        offset = block - hand
        behind = (offset * ahead).sum(axis=1)
        aside = offset[:, 1] * ahead[:, 0] - offset[:, 0] * ahead[:, 1]
        low = self.kinematics.hand[:, 2] < PUSH_HEIGHT_M + 0.02
        ready = low & (behind > 0.02) & (np.abs(aside) < np.where(behind < 0.08, 0.02, 0.012))

        start = block - 0.085 * ahead
        gap = np.hypot(*(start - hand).T)
        fetch = self.towards(start, funnel(gap, PUSH_HEIGHT_M, 0.16, width=0.012))
        push = np.zeros_like(fetch)
        speed = (3.0 * distance).clip(0.05, 0.3)[:, None]
        push[:, :2] = speed * ahead + (8.0 * aside)[:, None] * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        push[:, 2] = 5.0 * (PUSH_HEIGHT_M - self.kinematics.hand[:, 2])
        velocity = np.where(ready[:, None], push, fetch)
        leave = self.towards(hand, np.full(len(hand), 0.16))
        velocity = np.where((distance < 0.01)[:, None], leave, velocity)
        return self.control.actions(velocity).clip(-1, 1)
