"""What stands in the trays of a batch, and what became of it: kept in the state of the physics, shown in its model.

Axes: N simulations, P seedlings. `Trays.values` is a view of MuJoCo's `userdata`, so it is kept, restored and taken
back with the state. What a seedling looks like follows from it, and is written into fields of the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
from mujoco.batch import Batch

from envs.farm.seedlings.layout import FLOOR_M, cell_offset
from envs.farm.seedlings.seedling import (
    GOOD_QUALITY,
    GOOD_RGB,
    LEAF_FROM_STEM_M,
    LEAF_M,
    LEAN_RAD,
    NUM_LEAVES,
    NUM_SEGMENTS,
    PLUG_HALF_HEIGHT_M,
    PLUG_HALF_M,
    POOR_RGB,
    Seedling,
)
from envs.robots.task import Array, Flags, Ids

# What is kept of a seedling.
(
    PRESENT,  # 0: none; such bodies rest below the bench
    ROW,
    COLUMN,
    SIZE,
    QUALITY,
    LEAN_TO,  # direction in which it leans, rad
    ADHESION,  # N; up to which its cell holds the plug
    TORN,  # 1: has left its cell, which holds it no longer
    LIFTED,  # 1: has been lifted clear of the tray
    STRAIN,  # damage by forces so far, see `damage`
    LOST,  # 0, or why it will not live
    RELEASED,  # height of the plug's middle where fingers held it last, m
    STILL,  # control steps for which it has stood still in a hole
    PLANTED,  # 0, or the number of its hole from 1
    PRESSED,  # control steps for which a finger has pressed too hard
) = range(15)
NUM_VALUES = 15
FOREVER_N = 1000.0
"""Adhesion of what is not there."""
SEAT_M = FLOOR_M + PLUG_HALF_HEIGHT_M
"""Height of a plug's middle in a cell or hole."""


class Trays:
    """The seedlings of a batch, `num` in each simulation."""

    def __init__(self, batch: Batch, num: int, *, colours_are_drawn: bool) -> None:
        """`colours_are_drawn`: whether each episode has colours of its own, to which those of seedlings are added."""
        self._batch, self.num, self._colours_are_drawn = batch, num, colours_are_drawn
        model = batch.model
        qpos, self._mocap, self._turned = batch.bind("qpos"), batch.bind("mocap_pos"), batch.bind("mocap_quat")
        qvel = batch.bind("qvel")
        joints = [model.joint(f"plug{number}") for number in range(num)]
        self.pose = np.stack([joint.qposadr[0] + np.arange(7) for joint in joints])
        """Places of the plugs' positions and quaternions in `qpos` [P, 7]."""
        self._speed = np.stack([joint.dofadr[0] + np.arange(6) for joint in joints])
        self._qpos, self._qvel = qpos, qvel
        self.values: Array = batch.bind("userdata").reshape(batch.nsim, num, NUM_VALUES)
        """[N, P, 15]."""
        self._stems = np.array(
            [
                [[model.joint(f"stem{n}_{s}{axis}").qposadr[0] for axis in "xy"] for s in range(NUM_SEGMENTS)]
                for n in range(num)
            ]
        )
        self._leaves = np.array([[model.geom(f"leaf{n}_{i}").id for i in range(NUM_LEAVES)] for n in range(num)])
        self._foliage_rgb = model.geom_rgba[self._leaves, :3].copy()
        fields = ("dof_frictionloss", "geom_rgba", "geom_size", "geom_pos", "geom_rbound", "geom_aabb", "qpos_spring")
        self._fields = {field: batch.expand(field) for field in fields}

    def positions(self) -> Array:
        """Return where the plugs' middles are [N, P, 3] (m)."""
        found: Array = self._qpos[:, self.pose[:, :3]]
        return found

    def quaternions(self) -> Array:
        """Return how the plugs are turned [N, P, 4]."""
        found: Array = self._qpos[:, self.pose[:, 3:]]
        return found

    def speeds(self) -> Array:
        """Return how fast the plugs move [N, P] (m/s)."""
        found: Array = np.linalg.norm(self._qvel[:, self._speed[:, :3]], axis=2)
        return found

    def cells(self) -> Array:
        """Return the middles of the plugs' own cells [N, P, 2] (m)."""
        offsets = np.moveaxis(cell_offset(self.values[..., ROW], self.values[..., COLUMN]), 0, -1)
        return on_board(self._mocap[:, 0], self._turned[:, 0], offsets)

    def is_present(self) -> Flags:
        """Return which seedlings there are [N, P]."""
        flags: Flags = self.values[..., PRESENT] > 0
        return flags

    def is_good(self) -> Flags:
        """Return which seedlings should be planted [N, P]."""
        flags: Flags = (self.values[..., PRESENT] > 0) & (self.values[..., QUALITY] >= GOOD_QUALITY)
        return flags

    def is_poor(self) -> Flags:
        """Return which seedlings should be left [N, P]."""
        flags: Flags = (self.values[..., PRESENT] > 0) & (self.values[..., QUALITY] < GOOD_QUALITY)
        return flags

    def fill(self, simulation: int, seedlings: Sequence[Seedling], lean_to: Array) -> None:
        """Put seedlings into the tray of one simulation, whose pose is set; `lean_to` [P] is where they lean (rad)."""
        values = self.values[simulation]
        values[:] = 0.0
        values[:, ADHESION] = FOREVER_N
        for number, each in enumerate(seedlings):
            values[number, : ADHESION + 1] = (
                *(1.0, each.row, each.column, each.size, each.quality),
                *(lean_to[number], each.adhesion_n),
            )
        here = slice(simulation, simulation + 1)
        cells = on_board(
            self._mocap[here, 0],
            self._turned[here, 0],
            np.moveaxis(cell_offset(values[None, :, ROW], values[None, :, COLUMN]), 0, -1),
        )[0]
        for number in range(len(seedlings)):
            self._qpos[simulation, self.pose[number, :2]] = cells[number]
            self._qpos[simulation, self.pose[number, 2]] = SEAT_M
            self._qpos[simulation, self.pose[number, 3:]] = self._turned[simulation, 0]
        values[:, RELEASED] = self._qpos[simulation, self.pose[:, 2]]
        self._colour(np.array([simulation]))
        self.show(np.array([simulation]))
        self._qpos[simulation, self._stems] = self._fields["qpos_spring"][simulation, self._stems]

    def restored(self) -> None:
        """Write into the model what follows from values that were put in place of others."""
        everyone = np.arange(self._batch.nsim)
        if not self._colours_are_drawn:  # else they are kept with what else was drawn
            self._colour(everyone)
        self.show(everyone)

    def show(self, ids: Ids) -> None:
        """Write shapes and adhesion of the seedlings of these simulations into the model."""
        values, fields = self.values[ids], self._fields
        leaves = self._leaves
        size = np.where(values[..., PRESENT] > 0, values[..., SIZE], 1.0)[..., None, None]
        sizes = np.broadcast_to(size * LEAF_M, (*size.shape[:2], NUM_LEAVES, 3))
        fields["geom_size"][ids[:, None, None], leaves] = sizes
        fields["geom_rbound"][ids[:, None, None], leaves] = sizes[..., 0]
        fields["geom_aabb"][ids[:, None, None], leaves, 3:] = sizes
        fields["geom_pos"][ids[:, None, None], leaves, 0] = LEAF_FROM_STEM_M * size[..., 0]
        lean = LEAN_RAD * (1 - values[..., QUALITY]) / NUM_SEGMENTS
        about = np.stack([-np.sin(values[..., LEAN_TO]), np.cos(values[..., LEAN_TO])], axis=-1)
        bent = (lean[..., None] * about)[:, :, None]
        fields["qpos_spring"][ids[:, None, None, None], self._stems] = bent
        self.hold(ids)

    def hold(self, ids: Ids | None = None) -> None:
        """Write the adhesion of these simulations' plugs into the model; of all by default."""
        ids = np.arange(self._batch.nsim) if ids is None else ids
        force = (self.values[ids, :, ADHESION] * (1 - self.values[ids, :, TORN]))[..., None]
        loss = self._fields["dof_frictionloss"]
        loss[ids[:, None, None], self._speed[:, :3]] = force
        loss[ids[:, None, None], self._speed[:, 3:]] = force * PLUG_HALF_M

    def _colour(self, ids: Ids) -> None:
        """Write the leaves' colours; what randomisation has added to the model's stays added."""
        colours, leaves = self._fields["geom_rgba"], (ids[:, None, None], self._leaves, slice(3))
        good = self.values[ids, :, QUALITY][..., None, None].clip(0, 1)
        wanted = good * GOOD_RGB + (1 - good) * POOR_RGB
        if self._colours_are_drawn:
            wanted = (wanted + colours[leaves] - self._foliage_rgb).clip(0, 1)
        colours[leaves] = wanted


def on_board(position: Array, quaternion: Array, offsets: Array) -> Array:
    """Return places [N, K, 2] that lie at `offsets` [N or 1, K, 2] on boards at `position` [N, 3], turned upright."""
    turn = heading(quaternion)[:, None]
    x, y = offsets[..., 0], offsets[..., 1]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1) + position[:, None, :2]


def heading(quaternion: Array) -> Array:
    """Return how far quaternions [..., 4] turn x about the vertical (rad)."""
    w, x, y, z = np.moveaxis(quaternion, -1, 0)
    angle: Array = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return angle


def tilt(quaternion: Array) -> Array:
    """Return the angle between the bodies' axes and the vertical [...] (rad)."""
    upright = 1 - 2 * (quaternion[..., 1] ** 2 + quaternion[..., 2] ** 2)
    angle: Array = np.arccos(upright.clip(-1, 1))
    return angle


def turned(angle: float) -> Array:
    """Return the quaternion [4] of a turn about the vertical (rad)."""
    out = np.zeros(4)
    mujoco.mju_axisAngle2Quat(out, np.array([0.0, 0.0, 1.0]), angle)
    return out
