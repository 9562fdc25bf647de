"""Light on a bench of plants of all sizes: every plant is a disc of leaves, and where discs overlap they share.

A plant of leaf area L covers a disc of area L / L0 with L0 layers of leaf. Where n discs lie over a point, leaves take
`1 - exp(-K L0 n)` of its light (Beer's law) and each plant gets an equal part. So a plant alone takes
`(L / L0) (1 - exp(-K L0))`, however far the next one is, and where many discs overlap on a full lattice each takes what
Beer's law gives an even canopy. tests/envs/farm/test_canopy.py pins both. A disc is never larger than the bench: who
outgrows it, as no head for sale does, has more layers of leaf, which take no more light.

The mean over a disc is taken over the 2 cm cells nearest to the plant that make up the disc's area; the area itself is
exact. A whole number of discs over a cell makes the law a table, and the discs of several houses are one list of cells.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array
from envs.farm.spacing.lattice import Lattice, Raster

CELLS_PER_PITCH = 5

_TOGETHER = 4
"""Houses whose cells are listed at once: so many stay in the processor's cache."""


class Canopy:
    """The leaves of `num_houses` benches."""

    def __init__(self, lattice: Lattice, num_houses: int, extinction: float, leaf_layers: float) -> None:
        self.raster = Raster(lattice, CELLS_PER_PITCH)
        self.leaf_layers = leaf_layers
        self._num_houses, self._bench_m2 = num_houses, lattice.area_m2
        discs = np.arange(1, lattice.num_slots + 1)
        absorbed = -np.expm1(-extinction * leaf_layers * discs)
        self._share: Array = np.concatenate([[0.0], absorbed / discs])
        """What one plant gets of the light on a point under so many discs."""

    def light_area_m2(self, houses: NDArray[np.intp], slots: NDArray[np.intp], leaf_area_m2: Array) -> Array:
        """Return the floor area `[P]` whose light each of P plants takes; each stands in a slot of a house.

        Plants of a house stand together in the list, houses ascend.
        """
        out = np.empty_like(leaf_area_m2)
        borders = np.searchsorted(houses, np.arange(0, self._num_houses + _TOGETHER, _TOGETHER))
        for number, (begin, end) in enumerate(pairwise(borders)):
            if begin < end:
                some = slice(begin, end)
                disc_m2 = self._disc_m2(leaf_area_m2[some])
                cells, counts = self.raster.discs(houses[some] - number * _TOGETHER, slots[some], disc_m2)
                share = self._share.take(np.bincount(cells, minlength=_TOGETHER * self.raster.num_cells)).take(cells)
                sums = np.add.reduceat(share, np.cumsum(counts) - counts)
                out[some] = disc_m2 * sums / counts
        return out

    def light_share(self, houses: NDArray[np.intp], slots: NDArray[np.intp], leaf_area_m2: Array) -> Array:
        """Return the light `[P]` that each plant takes, of what it would take alone: 1 unshaded."""
        alone = self._disc_m2(leaf_area_m2) * self._share[1]
        return np.asarray(self.light_area_m2(houses, slots, leaf_area_m2) / np.maximum(alone, 1e-30))

    def _disc_m2(self, leaf_area_m2: Array) -> Array:
        return np.minimum(leaf_area_m2 / self.leaf_layers, self._bench_m2)
