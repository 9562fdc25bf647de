"""Draws the world of an episode from the ranges of `Randomisation`, and says what it drew.

Nothing is expanded or drawn for a range of 0, so a task without randomisation pays nothing. A simulation's draws come
from its own generator, in the order of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

from envs.robots.scenery import DISTRACTOR, FLOOR, PALETTE
from envs.robots.settings import Randomisation
from envs.robots.task import Area

SCALED: dict[str, tuple[str, ...]] = {
    "mass": ("body_mass", "body_inertia"),
    "friction": ("geom_friction",),
    "damping": ("dof_damping",),
    "gain": ("actuator_gainprm", "actuator_biasprm"),
    "light": ("light_diffuse",),
}
"""The fields that are multiplied by one factor. The bias of a servo is part of its gain."""
ADDED: dict[str, str] = {
    "camera_position_m": "cam_pos",
    "camera_fovy_deg": "cam_fovy",
    "colour": "geom_rgba",
    "light_direction": "light_dir",
}
"""The fields to each number of which something is added."""

Drawn = dict[str, Any]


class Randomiser:
    """Changes the model fields of single simulations of a batch."""

    def __init__(self, batch: Batch, ranges: Randomisation, areas: Sequence[Area]) -> None:
        """`areas`: the boxes in which distractors stand."""
        self._batch, self._model, self._ranges, self._areas = batch, batch.model, ranges, areas
        fields = [field for name, scaled in SCALED.items() if getattr(ranges, name) for field in scaled]
        fields += [field for name, field in ADDED.items() if getattr(ranges, name)]
        fields += ["cam_quat"] if ranges.camera_angle_deg else []
        fields += ["geom_matid"] if ranges.texture else []
        fields += ["geom_rgba"] if ranges.num_distractors else []
        self._nominal = {field: getattr(self._model, field).copy() for field in fields}
        self._values = {field: batch.expand(field) for field in fields}
        self._floors = [i for i in range(self._model.nmat) if self._model.mat(i).name.startswith(FLOOR)]

    def draw(self, simulation: int, generator: np.random.Generator) -> Drawn:
        """Write a new world into one simulation whose state was reset, and return what was drawn by name."""
        drawn: Drawn = {}
        for name, fields in SCALED.items():
            share = getattr(self._ranges, name)
            if share:
                drawn[name] = generator.uniform(1 - share, 1 + share)
                for field in fields:
                    self._write(field, simulation, self._nominal[field] * drawn[name])
        for name, field in ADDED.items():
            reach = getattr(self._ranges, name)
            if reach:
                added = generator.uniform(-reach, reach, self._nominal[field].shape)
                self._write(field, simulation, _allowed(field, self._nominal[field] + added))
                drawn[name] = added
        if self._ranges.camera_angle_deg:
            drawn["camera_angle_deg"] = self._turn_cameras(simulation, generator)
        if self._ranges.texture:
            drawn["texture"] = int(generator.choice(self._floors))
            self._values["geom_matid"][simulation, self._model.geom(FLOOR).id] = drawn["texture"]
        if self._ranges.num_distractors:
            drawn["num_distractors"] = self._scatter(simulation, generator)
        return drawn

    def finish(self, ids: NDArray[np.intp]) -> None:
        """Make what MuJoCo derives from masses follow them."""
        if self._ranges.mass:
            self._batch.set_const(ids)

    def snapshot(self) -> Drawn:
        """Return the fields [N, ...] that differ between simulations."""
        return {field: values.copy() for field, values in self._values.items()}

    def restore(self, fields: Drawn) -> None:
        """Go on with the worlds of a snapshot."""
        for field, values in self._values.items():
            values[:] = fields[field]
        self.finish(np.arange(self._batch.nsim))

    def _write(self, field: str, simulation: int, value: NDArray[Any]) -> None:
        self._values[field][simulation] = value

    def _turn_cameras(self, simulation: int, generator: np.random.Generator) -> NDArray[Any]:
        reach = self._ranges.camera_angle_deg
        turns = generator.uniform(-reach, reach, (self._model.ncam, 3))
        turn, turned = np.zeros(4), np.zeros(4)
        for camera, angles in enumerate(turns):
            vector = np.deg2rad(angles)
            length = float(np.linalg.norm(vector))
            mujoco.mju_axisAngle2Quat(turn, vector / length, length)
            mujoco.mju_mulQuat(turned, self._nominal["cam_quat"][camera], turn)
            self._values["cam_quat"][simulation, camera] = turned
        return turns

    def _scatter(self, simulation: int, generator: np.random.Generator) -> int:
        """Stand some distractors about and put the others out of sight; return how many stand."""
        num = int(generator.integers(self._ranges.num_distractors + 1))
        for number in range(self._ranges.num_distractors):
            body = self._model.body(f"{DISTRACTOR}{number}")
            position = generator.uniform(*self._areas[generator.integers(len(self._areas))])
            rgb = PALETTE[generator.integers(len(PALETTE))]
            if number >= num:
                position[2] = -10.0
            self._batch.mocap_pos[simulation, body.mocapid[0]] = position
            self._values["geom_rgba"][simulation, body.geomadr[0], :3] = rgb
        return num


def _allowed(field: str, value: NDArray[Any]) -> NDArray[Any]:
    """Return what the field may hold: colours in [0, 1], directions of length 1."""
    if field == "geom_rgba":
        value[:, 3] = np.round(value[:, 3].clip(0, 1))
        return value.clip(0, 1)
    if field == "light_dir":
        return value / np.linalg.norm(value, axis=-1, keepdims=True)
    return value
