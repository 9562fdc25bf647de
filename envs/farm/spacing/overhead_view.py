"""The bench from above, drawn with numpy: rosettes of leaves over a pale bench, the largest in front.

What a camera would see: size and place of every plant, pallor of those that stretched or were harmed, shadows. Not
what it would not: age, reserves, weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array
from envs.farm.spacing.lattice import PITCH_M, Lattice
from envs.farm.spacing.plant_bench import QUALITY, VIGOUR, PlantBench

Pictures = NDArray[np.uint8]
Colours = NDArray[np.float32]

_BENCH, _HOLE = np.array([206, 203, 196], np.float32), np.array([120, 118, 116], np.float32)
_HEART, _LEAF = np.array([150, 205, 92], np.float32), np.array([62, 138, 44], np.float32)
_PALE = np.array([196, 196, 96], np.float32)
_SHADOW = np.float32(0.62)
_NUM_LEAVES = 7
_GOLDEN_RAD = 2.4
"""From one slot's leaves to the next one's, so that no two neighbours look alike."""


class OverheadView:
    """Pictures of benches, `pixels_per_pitch` (odd) to the distance of two slots."""

    def __init__(self, lattice: Lattice, pixels_per_pitch: int) -> None:
        self.height, self.width = lattice.num_rows * pixels_per_pitch, lattice.num_columns * pixels_per_pitch
        self.shape = (self.height, self.width, 3)
        self._pixels_per_m = pixels_per_pitch / PITCH_M
        self._shadow = (max(1, pixels_per_pitch // 8),) * 2
        row, column = np.divmod(np.arange(lattice.num_slots), lattice.num_columns)
        self._row, self._column = (pixels_per_pitch * place + pixels_per_pitch // 2 for place in (row, column))
        self._bench = np.tile(_BENCH, (self.height, self.width, 1))
        hole = np.arange(-(pixels_per_pitch // 8), pixels_per_pitch // 8 + 1)
        self._bench[self._row[:, None, None] + hole[:, None], self._column[:, None, None] + hole] = _HOLE

    def draw(self, bench: PlantBench, noise: NDArray[np.int8] | None = None) -> Pictures:
        """Return pictures `[N, H, W, 3]`; `noise` of that shape is added as the camera's."""
        houses, slots = np.nonzero(bench.present)
        radius_m = np.sqrt(bench.leaf_area_m2()[houses, slots] / (np.pi * bench.settings.leaf_layers))
        radius = radius_m * self._pixels_per_m
        in_front = self._in_front(bench.num_houses, houses, slots, radius)
        lit = np.where(np.roll(in_front, self._shadow, axis=(1, 2)) >= 0, _SHADOW, np.float32(1))
        picture = self._bench * lit[..., None]
        seen = np.nonzero(in_front >= 0)
        plant = in_front[seen]
        pale = 1 - bench.plants[QUALITY, houses, slots] * bench.plants[VIGOUR, houses, slots]
        picture[seen] = self._leaves(seen, slots[plant], radius[plant], pale[plant])
        if noise is not None:
            picture += noise
        return np.asarray(np.clip(picture, 0, 255, out=picture), dtype=np.uint8)

    def _in_front(
        self, num_houses: int, houses: NDArray[np.intp], slots: NDArray[np.intp], radius: Array
    ) -> NDArray[np.intp]:
        """Return the number of the plant that each pixel shows, `[N, H, W]`, -1 where none is; large hide small."""
        shown = np.full((num_houses, self.height, self.width), -1)
        for plant in np.argsort(radius, kind="stable"):
            reach = int(radius[plant])
            around = np.arange(-reach, reach + 1)
            down, right = np.nonzero(around[:, None] ** 2 + around**2 <= radius[plant] ** 2)
            row = (self._row[slots[plant]] + around) % self.height
            column = (self._column[slots[plant]] + around) % self.width
            shown[houses[plant], row[down], column[right]] = plant
        return shown

    def _leaves(
        self, pixels: tuple[NDArray[np.intp], ...], slots: NDArray[np.intp], radius: Array, pale: Array
    ) -> Colours:
        """Return the colours `[pixels, 3]` of leaves: bright hearts, dark rims and gaps between the leaves."""
        down = (pixels[1] - self._row[slots] + self.height // 2) % self.height - self.height // 2
        right = (pixels[2] - self._column[slots] + self.width // 2) % self.width - self.width // 2
        y, x, size = (values.astype(np.float32) for values in (down, right, radius))
        out = np.minimum(np.hypot(y, x) / np.maximum(size, 1), 1)
        turned = np.arctan2(y, x) + _GOLDEN_RAD * (slots % 32).astype(np.float32)
        gaps = 1 - out * (0.18 - 0.18 * np.cos(_NUM_LEAVES * turned))
        colour = _HEART + (_LEAF - _HEART) * np.sqrt(out)[:, None]
        colour += (_PALE - colour) * pale.astype(np.float32)[:, None]
        return np.asarray(colour * (gaps * (1 - 0.25 * out**4))[:, None])
