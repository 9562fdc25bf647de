"""Where plants can stand on a bench: a lattice of slots whose opposite edges meet.

The bench is one of many alike that stand side by side, so a leaf that hangs over one edge comes in at the opposite
one, and no plant gains light by standing at an edge. Slots are numbered row by row, from 0.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array

PITCH_M = 0.1
"""From slot to slot."""


class Lattice:
    """`num_rows` times `num_columns` slots, each in the middle of a square of `PITCH_M`."""

    def __init__(self, num_rows: int, num_columns: int) -> None:
        self.num_rows, self.num_columns = num_rows, num_columns
        self.num_slots = num_rows * num_columns
        self.area_m2 = self.num_slots * PITCH_M**2

    @cached_property
    def distance_m(self) -> Array:
        """From slot 0 to every slot, the shorter way round, `[num_slots]`."""
        return _distances_m(self.num_rows, self.num_columns, 0, 0, PITCH_M).ravel()

    @cached_property
    def shift(self) -> NDArray[np.intp]:
        """`[num_slots, num_slots]`: what lies at slot p as seen from slot q is `shift[q, p]` as seen from slot 0."""
        row, column = np.divmod(np.arange(self.num_slots), self.num_columns)
        rows = (row[None, :] - row[:, None]) % self.num_rows
        columns = (column[None, :] - column[:, None]) % self.num_columns
        return np.asarray(rows * self.num_columns + columns)


class Raster:
    """Square cells over a lattice, `cells_per_pitch` (odd) to a pitch, so that every slot is in the middle of one."""

    def __init__(self, lattice: Lattice, cells_per_pitch: int) -> None:
        self.height, self.width = lattice.num_rows * cells_per_pitch, lattice.num_columns * cells_per_pitch
        self.num_cells = self.height * self.width
        cell_m, middle = PITCH_M / cells_per_pitch, cells_per_pitch // 2
        self.cell_m2 = cell_m**2
        distance_m = _distances_m(self.height, self.width, middle, middle, cell_m).ravel()
        # Equally far cells in a fixed random order, so that a disc which has some of them leans to no side.
        nearest = np.lexsort((np.random.default_rng(0).random(self.num_cells), distance_m.round(9)))
        self.distance_m: Array = distance_m[nearest]
        """From a slot to the cells around it, nearest first, `[num_cells]`."""
        row, column = np.divmod(nearest, self.width)
        slot_row, slot_column = np.divmod(np.arange(lattice.num_slots), lattice.num_columns)
        rows = (row[None, :] + cells_per_pitch * slot_row[:, None]) % self.height
        columns = (column[None, :] + cells_per_pitch * slot_column[:, None]) % self.width
        self._around: NDArray[np.intp] = (rows * self.width + columns).ravel()

    def discs(
        self, houses: NDArray[np.intp], slots: NDArray[np.intp], area_m2: Array
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the cells of P discs around slots, one disc after the other, and how many each has, `[P]`.

        Cells are numbered `house * num_cells + cell`. A disc has the cells nearest to its slot, as many as make its
        area, at least one.
        """
        counts = np.clip(np.rint(area_m2 / self.cell_m2).astype(np.intp), 1, self.num_cells)
        starts = np.cumsum(counts) - counts
        place = np.repeat(slots * self.num_cells - starts, counts)
        place += np.arange(place.size)
        cells = self._around.take(place)
        cells += np.repeat(houses * self.num_cells, counts)
        return cells, counts


def _distances_m(height: int, width: int, row: int, column: int, cell_m: float) -> Array:
    """Return the distances `[height, width]` from one place, with opposite edges joined."""
    rows, columns = np.abs(np.arange(height) - row), np.abs(np.arange(width) - column)
    rows, columns = np.minimum(rows, height - rows), np.minimum(columns, width - columns)
    return np.asarray(cell_m * np.hypot(rows[:, None], columns[None, :]))
