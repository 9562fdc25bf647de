"""What tasks share in which the arm brings an object to a goal on the floor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from mujoco.batch import Batch

from envs.robots.arm.arm import NEVER_COLLIDES
from envs.robots.arm.positions import draw_position
from envs.robots.arm.task import ArmSettings, ArmTask, length
from envs.robots.task import Array

APPROACH_PER_S = 7.0
"""Share of a distance that an expert covers per second."""
MAX_SPEED_M_S = 0.5
"""Of the hand along each axis, when an expert moves it."""


class ObjectTask(ArmTask):
    """The object is a body `object` with a free joint, the goal a disc.

    privileged  [N, 35 (+ 1)]  from the hand to the object (3, m), from the object to the goal (2, m), goal (2, m),
                               object (3, m, and a quaternion, 4), its velocity (3, m/s, and 3, rad/s), proprioception
    """

    integrator = "discrete"
    """Contacts and servos are solved together: with `implicitfast` what the fingers hold creeps out of them."""
    half_size_m: ClassVar[float]
    """Of the object: its middle is so high above the floor."""
    goal_radius_m: ClassVar[float]
    least_way_m: ClassVar[float]
    """Between an object's start and its goal."""
    area = ((0.3, -0.2, 0.0), (0.7, 0.2, 0.0))

    def __init__(self, batch: Batch, settings: ArmSettings) -> None:
        super().__init__(batch, settings)
        joint = batch.model.body("object").jntadr[0]
        at, speed_at = batch.model.jnt_qposadr[joint], batch.model.jnt_dofadr[joint]
        self._pose, self._velocity = self._qpos[:, at : at + 7], self._qvel[:, speed_at : speed_at + 6]
        self._object, self._goal = self._pose[:, :3], self._mocap[:, 0, :2]

    @classmethod
    def goal(cls) -> str:
        """Return the goal as MJCF."""
        return f"""
        <body name="goal" mocap="true" pos=".5 0 .002">
          <geom name="goal" type="cylinder" size="{cls.goal_radius_m} .002" rgba=".15 .8 .3 1" {NEVER_COLLIDES}/>
        </body>"""

    def place_objects(self, simulation: int, generator: np.random.Generator) -> None:
        start = goal = np.zeros(3)
        while np.hypot(*(goal - start)[:2]) < self.least_way_m:
            start, goal = (draw_position(generator, *self.area, self.settings.positions) for _ in range(2))
        half_turn = generator.uniform(-0.15, 0.15)
        self._pose[simulation, :3] = *start[:2], self.half_size_m
        self._pose[simulation, 3:] = np.cos(half_turn), 0.0, 0.0, np.sin(half_turn)
        self._goal[simulation] = goal[:2]

    def privileged(self) -> Array:
        parts = [
            self._object - self.kinematics.hand,
            self._goal - self._object[:, :2],
            self._goal,
            self._pose,
            self._velocity,
            self.proprioception(),
        ]
        return np.concatenate(parts, axis=1)

    def distance_to_goal(self) -> Array:
        """Return how far the object's middle is from the goal's, over the floor [N] (m)."""
        return length(self._goal - self._object[:, :2])

    def distance_to_object(self) -> Array:
        """Return how far the hand is from the object's middle [N] (m)."""
        return length(self._object - self.kinematics.hand)

    def towards(self, point: Array, height: Array) -> Array:
        """Return the velocity [N, 3] (m/s) by which an expert brings the hand over `point` [N, 2] at `height` [N].

        Where it is too low it rises before it moves aside, and so hits nothing.
        """
        return towards(self.kinematics.hand, point, height, MAX_SPEED_M_S)


def towards(hand: Array, point: Array, height: Array, max_speed_m_s: float) -> Array:
    """Return the velocity [N, 3] (m/s) that brings hands [N, 3] over `point` [N, 2] at `height` [N], rising first."""
    velocity = np.empty_like(hand)
    velocity[:, :2] = point - hand[:, :2]
    velocity[:, 2] = height - hand[:, 2]
    velocity[:, :2] *= (1 - (velocity[:, 2:] - 0.01) / 0.04).clip(0, 1)
    velocity *= APPROACH_PER_S
    return velocity.clip(-max_speed_m_s, max_speed_m_s)


def funnel(distance: Array, low: Array | float, high: float, *, width: float, slope: float = 1.5) -> Array:
    """Return the height [N] at which a hand should be that is `distance` [N] from where it shall go down.

    `low` within `width` (m), then rising by `slope` up to `high`: so whoever is off comes down only as he gets there.
    """
    return np.minimum(low + slope * (distance - width).clip(0), high)
