"""What tasks with an arm share: settings, scene, readings and start of the arm, and how actions move it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from mujoco.batch import Batch

from envs.robots import scenery
from envs.robots.arm import arm
from envs.robots.arm.control import CONTROLS, ControlMode, Kinematics
from envs.robots.arm.positions import Positions
from envs.robots.settings import RobotSettings
from envs.robots.task import Area, Array, Task

TIMESTEP_S = 0.01
CAMERA_M = (1.4, -0.3, 1.0)
CAMERA_AT_M = (0.45, 0.02, 0.18)
"""What the camera looks at."""
START_NOISE_RAD = 0.05
"""Standard deviation of the joints about the home pose when an episode begins."""


class ArmSettings(RobotSettings):
    """Everything that can be set of a task with an arm."""

    control: ControlMode = "cartesian"
    """What actions are: torques or speeds of the joints, or displacements of the hand."""
    positions: Positions = "all"
    """Where targets and objects may be: everywhere, or on the fields of one colour of a chess board."""


class ArmTask(Task):
    """A control step lasts 50 ms.

    actions         [N, 6 or 3 (+ 1)]  see `control`; last, where fingers move, their opening: 1 open, -1 closed
    proprioception  [N, 15 (+ 1)]      joint angles (6, rad), their speeds (6, rad/s), the hand (3, m), which follows
                                       from the angles, and the fingers' distance from the middle (m)
    """

    Settings = ArmSettings
    settings: ArmSettings
    substeps = 5
    has_gripper: ClassVar[bool] = False
    """Whether the fingers move."""
    integrator: ClassVar[str] = "implicitfast"
    area: ClassVar[Area] = ((0.3, -0.2, 0.08), (0.7, 0.2, 0.38))
    """Corners of the box in which the hand works."""
    distractor_areas = (((0.15, -0.42, 0.03), (0.75, -0.28, 0.03)), ((0.15, 0.28, 0.03), (0.75, 0.42, 0.03)))

    def __init__(self, batch: Batch, settings: ArmSettings) -> None:
        super().__init__(batch, settings)
        self.step_s = self.substeps * batch.model.opt.timestep
        self.kinematics = Kinematics(batch)
        self.control = CONTROLS[settings.control](batch, self.kinematics, self.step_s)
        self.num_actions = self.control.num_actions + self.has_gripper
        self._qpos, self._qvel, self._ctrl = batch.bind("qpos"), batch.bind("qvel"), batch.bind("ctrl")
        self._mocap = batch.bind("mocap_pos")

    @classmethod
    @abstractmethod
    def objects(cls) -> str:
        """Return what the task is about, as MJCF of bodies."""

    @classmethod
    def scene(cls, settings: RobotSettings) -> str:
        """Return a floor to work on with the arm, its camera `front` on the other side, and the task's objects.

        In a picture of 64x64 a pixel is 1.2 cm in the middle of the area.
        """
        assert isinstance(settings, ArmSettings)
        fingers = arm.finger_actuators() if cls.has_gripper else ""
        return f"""
        <mujoco model="{cls.__name__}">
          <size memory="2M" nuserdata="{int(cls.has_gripper)}"/>
          <option timestep="{TIMESTEP_S}" integrator="{cls.integrator}" cone="elliptic" impratio="5">
            <flag eulerdamp="disable"/></option>
          <visual><headlight ambient=".25 .25 .25" diffuse=".25 .25 .25" specular="0 0 0"/></visual>
          {scenery.assets(2.5)}
          <worldbody>
            <light type="directional" pos="0 0 3" dir="-.35 .45 -1" diffuse=".55 .55 .55" ambient=".15 .15 .15"
              specular=".2 .2 .2"/>
            <camera name="front" pos="{_text(CAMERA_M)}" xyaxes="{_camera_axes()}" fovy="36"/>
            <geom name="{scenery.FLOOR}" type="plane" size="4 4 .1" material="{scenery.FLOOR}0"
              {arm.FLOOR_COLLIDES}/>
            {arm.body(movable_fingers=cls.has_gripper)}
            {cls.objects()}
            {scenery.distractors(settings)}
          </worldbody>
          <actuator>{CONTROLS[settings.control].actuators()}{fingers}</actuator>
        </mujoco>"""

    def place(self, simulation: int, generator: np.random.Generator) -> None:
        noise = START_NOISE_RAD * generator.standard_normal(arm.NUM_JOINTS)
        self._qpos[simulation, : arm.NUM_JOINTS] = arm.HOME_RAD + noise
        self.place_objects(simulation, generator)

    @abstractmethod
    def place_objects(self, simulation: int, generator: np.random.Generator) -> None:
        """Write where the task's objects are when an episode starts."""

    def actuate(self, actions: Array) -> None:
        num = self.control.num_actions
        self._ctrl[:, : arm.NUM_JOINTS] = self.control.orders(actions[:, :num])
        if self.has_gripper:
            self._ctrl[:, arm.NUM_JOINTS :] = (1 - actions[:, num:]) * (arm.OPENING_M / 2)

    @staticmethod
    def effort(actions: Array) -> Array:
        """Return the reward's term [N] for moving: what is spared where it makes no difference."""
        return np.einsum("na,na->n", actions, actions) * (-0.02 / actions.shape[1])

    def proprioception(self) -> Array:
        num = arm.NUM_JOINTS
        parts = [self._qpos[:, :num], self._qvel[:, :num], self.kinematics.hand]
        if self.has_gripper:
            parts.append(arm.OPENING_M - self._qpos[:, num : num + 2].mean(axis=1, keepdims=True))
        return np.concatenate(parts, axis=1)


def length(vectors: Array) -> Array:
    """Return the lengths [N] of vectors [N, D]."""
    return np.sqrt(np.einsum("nd,nd->n", vectors, vectors))


def _camera_axes() -> str:
    """Return x and y of an upright camera that looks from `CAMERA_M` at `CAMERA_AT_M`."""
    ahead = np.subtract(CAMERA_AT_M, CAMERA_M)
    right = np.cross(ahead, (0.0, 0.0, 1.0))
    return _text((*right, *np.cross(right, ahead)))


def _text(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.6g}" for number in numbers)
