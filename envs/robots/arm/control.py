"""How actions move the arm: by torques, joint speeds, or displacements of the hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from mujoco.batch import Batch

from envs.robots.arm.arm import (
    DAMPING_NMS_RAD,
    HOME_RAD,
    MAX_SPEED_RAD_S,
    MAX_TORQUE_NM,
    NUM_JOINTS,
    SPEED_GAIN_NMS_RAD,
)
from envs.robots.task import Array

_LEAST_MAX_SPEED = float(MAX_SPEED_RAD_S.min())
ControlMode = Literal["torque", "velocity", "cartesian"]

MAX_STEP_M = 0.025
"""Along each axis: how far an action of 1 moves the hand in one control step."""
DAMPING = 0.02
"""Of the inverse kinematics, in metres and radians: near a singular pose the hand lags instead of the joints racing."""
UPRIGHT_PER_S = 6.0
"""Share of the hand's tilt and twist that is turned back per second."""
HOME_PER_S = 4.0
"""Share of the way to the home pose that an expert covers per second where it has no better idea."""
LOST_RAD = 1.0
"""Tilt of the hand or roll of the forearm at which inverse kinematics may lead ever further away."""
TORQUE_SHARE = 0.5
"""Of a missing speed that an expert's torques make up for in a control step: all would be too much with a delay."""


class Kinematics:
    """The hand of N arms: where it is, and which joint speeds move it.

    Its pose is wanted pointing down, unturned: then `site_xmat` is the identity.
    """

    def __init__(self, batch: Batch) -> None:
        self._angles = batch.bind("qpos")
        self._axes, self._anchors = batch.bind("xaxis"), batch.bind("xanchor")
        site = batch.model.site("grip").id
        self._position = batch.bind("site_xpos")[:, site]
        self._rotation = batch.bind("site_xmat")[:, site]

    @property
    def hand(self) -> Array:
        """The point between the fingers' tips [N, 3], a view that follows the batch."""
        return self._position

    def jacobian(self) -> Array:
        """Return how joint speeds [6] move and turn the hand [N, 6, 6]."""
        axes = self._axes[:, :NUM_JOINTS]
        arms = self._position[:, None] - self._anchors[:, :NUM_JOINTS]
        rows = np.empty((len(axes), NUM_JOINTS, 6))
        rows[..., 0] = axes[..., 1] * arms[..., 2] - axes[..., 2] * arms[..., 1]
        rows[..., 1] = axes[..., 2] * arms[..., 0] - axes[..., 0] * arms[..., 2]
        rows[..., 2] = axes[..., 0] * arms[..., 1] - axes[..., 1] * arms[..., 0]
        rows[..., 3:] = axes
        return rows.transpose(0, 2, 1)

    def joint_speeds(self, velocity: Array) -> Array:
        """Return joint speeds [N, 6] (rad/s) that move the hand by `velocity` [N, 3] (m/s) and hold it upright.

        Damped least squares (Wampler 1986; Nakamura and Hanafusa 1986). Where a joint would be too fast, all are
        slower.
        """
        wanted = np.empty((len(velocity), 6))
        wanted[:, :3] = velocity
        # Of a small turn the antisymmetric part of the rotation is its axis times its angle.
        for axis, (plus, minus) in enumerate(((5, 7), (6, 2), (1, 3)), start=3):
            np.subtract(self._rotation[:, plus], self._rotation[:, minus], out=wanted[:, axis])
        wanted[:, 3:] *= UPRIGHT_PER_S / 2
        jacobian = self.jacobian()
        square = jacobian @ jacobian.transpose(0, 2, 1)
        square.reshape(-1, 36)[:, ::7] += DAMPING**2  # the diagonal
        speeds: Array = (np.linalg.solve(square, wanted[..., None]).transpose(0, 2, 1) @ jacobian)[:, 0]
        magnitudes = np.abs(speeds)
        if magnitudes.max() > _LEAST_MAX_SPEED:
            speeds /= np.maximum((magnitudes / MAX_SPEED_RAD_S).max(axis=1, keepdims=True), 1.0)
        return speeds

    def homing(self, speeds: Array) -> Array:
        """Return `speeds` [N, 6], but where the arm is lost those that lead to the home pose."""
        angles = self._angles[:, :NUM_JOINTS]
        lost = (self._rotation[:, 8] < np.cos(LOST_RAD)) | (np.abs(angles[:, 3]) > LOST_RAD)
        home = (HOME_PER_S * (HOME_RAD - angles)).clip(-MAX_SPEED_RAD_S, MAX_SPEED_RAD_S)
        return np.where(lost[:, None], home, speeds)


class Control(ABC):
    """Turns the part of an action that moves the arm into its actuators' orders, and wanted velocities into actions."""

    num_actions: int

    def __init__(self, batch: Batch, kinematics: Kinematics, step_s: float) -> None:
        """`step_s`: seconds of a control step."""
        self.kinematics, self.step_s = kinematics, step_s
        self._batch = batch

    @staticmethod
    @abstractmethod
    def actuators() -> str:
        """Return the actuators of the joints as MJCF."""

    @abstractmethod
    def orders(self, actions: Array) -> Array:
        """Return `ctrl` [N, 6] for one control step of actions [N, num_actions]."""

    @abstractmethod
    def actions(self, velocity: Array) -> Array:
        """Return the actions [N, num_actions] that give the hand a velocity [N, 3] (m/s)."""


class TorqueControl(Control):
    """actions [N, 6]: torques of the joints, in shares of `MAX_TORQUE_NM`, beside what bears the arm's weight."""

    num_actions = NUM_JOINTS

    def __init__(self, batch: Batch, kinematics: Kinematics, step_s: float) -> None:
        super().__init__(batch, kinematics, step_s)
        self._speeds = batch.bind("qvel")
        self._inertia = batch.bind("M")

    @staticmethod
    def actuators() -> str:
        return "".join(
            f'<motor joint="joint{joint}" gear="{torque}" ctrllimited="true" ctrlrange="-1 1"/>'
            for joint, torque in enumerate(MAX_TORQUE_NM)
        )

    def orders(self, actions: Array) -> Array:
        return actions

    def actions(self, velocity: Array) -> Array:
        """Return the torques that bring the joints' speeds towards the wanted ones."""
        wanted = self.kinematics.homing(self.kinematics.joint_speeds(velocity))
        missing = (wanted - self._speeds[:, :NUM_JOINTS]) * (TORQUE_SHARE / self.step_s)
        inertia = self._inertia[:, : NUM_JOINTS * (NUM_JOINTS + 1) // 2]  # rows of the lower triangle of a chain
        full = np.zeros((len(inertia), NUM_JOINTS, NUM_JOINTS))
        rows, columns = np.tril_indices(NUM_JOINTS)
        full[:, rows, columns] = full[:, columns, rows] = inertia
        torques: Array = (full @ missing[..., None])[..., 0] + DAMPING_NMS_RAD * wanted
        return torques / MAX_TORQUE_NM


class _ServoControl(Control):
    @staticmethod
    def actuators() -> str:
        """Return servos of speed; what the joint's damping takes they add, so that an ordered speed is reached."""
        return "".join(
            f'<general joint="joint{joint}" gainprm="{gain + drag}" biastype="affine" biasprm="0 0 {-gain}" '
            f'ctrllimited="true" ctrlrange="{-speed} {speed}" forcelimited="true" forcerange="{-torque} {torque}"/>'
            for joint, (gain, drag, speed, torque) in enumerate(
                zip(SPEED_GAIN_NMS_RAD, DAMPING_NMS_RAD, MAX_SPEED_RAD_S, MAX_TORQUE_NM, strict=True)
            )
        )


class VelocityControl(_ServoControl):
    """actions [N, 6]: speeds of the joints, in shares of `MAX_SPEED_RAD_S`."""

    num_actions = NUM_JOINTS

    def orders(self, actions: Array) -> Array:
        return actions * MAX_SPEED_RAD_S

    def actions(self, velocity: Array) -> Array:
        return self.kinematics.homing(self.kinematics.joint_speeds(velocity)) / MAX_SPEED_RAD_S


class CartesianControl(_ServoControl):
    """actions [N, 3]: displacements of the hand per control step, in `MAX_STEP_M`; it keeps pointing down."""

    num_actions = 3

    def orders(self, actions: Array) -> Array:
        return self.kinematics.joint_speeds(actions * (MAX_STEP_M / self.step_s))

    def actions(self, velocity: Array) -> Array:
        return velocity * (self.step_s / MAX_STEP_M)


CONTROLS: dict[ControlMode, type[Control]] = {
    "torque": TorqueControl,
    "velocity": VelocityControl,
    "cartesian": CartesianControl,
}
