"""From the room that each plant shall have to a day's work for the robot: where to plant, what to move, and where to.

Every plant asks for a disc of floor. The cost of a place is the floor that its disc would share with the discs of
others. The robot harvests what is ready, then moves the plant that is most crowded for its size to the empty slot of
least cost, if that frees a good part of its disc, and so on; last it plants, also where the cost is least. A greedy
plan, but each step of it is the same for many benches at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array
from envs.farm.spacing.lattice import Lattice
from envs.farm.spacing.plant_bench import Operations

LEAST_M2, MOST_M2 = 0.01, 0.25
"""Room that a plant can ask for; the least is a slot's."""

_SIZES_M2 = np.geomspace(LEAST_M2, MOST_M2, 8)
"""Costs are reckoned for discs of these sizes: a request counts as the nearest."""
_BORDERS_M2 = np.sqrt(_SIZES_M2[1:] * _SIZES_M2[:-1])
_UNIT_M2 = 1e-7
"""Costs are whole numbers of this, whose sums are exact: equal costs are equal, however many benches are planned."""


class Respacing:
    """Plans for benches of one lattice."""

    def __init__(self, lattice: Lattice, num_operations: int, min_gain: float = 0.1) -> None:
        """A move must free at least `min_gain` of the plant's disc."""
        self.lattice, self.num_operations, self.min_gain = lattice, num_operations, min_gain
        radii_m = np.sqrt(_SIZES_M2 / np.pi)
        shared_m2 = overlap_m2(radii_m[:, None, None], radii_m[None, :, None], lattice.distance_m)
        self._overlap = np.rint(shared_m2 / _UNIT_M2)
        """`[a, b, p]`: floor that a disc of size a in slot p shares with one of size b in slot 0."""
        self._itself = np.diagonal(self._overlap[:, :, 0]).copy()
        grid = self._overlap.reshape(len(radii_m), len(radii_m), lattice.num_rows, lattice.num_columns)
        self._spectrum = np.fft.rfft2(grid)

    def plan(
        self,
        room_m2: Array,
        *,
        ready: NDArray[np.bool_],
        movable: NDArray[np.bool_],
        num_new: NDArray[np.intp],
        new_room_m2: Array | float,
    ) -> Operations:
        """Return operations `[N, K, 2]`.

        `room_m2` `[N, S]` is what each plant asks for, 0 in empty slots; `ready` are harvested; only `movable` are
        moved; `num_new` `[N]` seedlings are planted, each asking for `new_room_m2` (a number or `[N]`).
        """
        plan = _Plan(self, np.where(ready, 0.0, room_m2))
        plan.harvest(ready)
        num_new = np.minimum(num_new, self.num_operations - plan.num_planned)
        plan.move(movable & ~ready, self.num_operations - num_new)
        plan.plant(num_new, np.broadcast_to(new_room_m2, num_new.shape))
        return plan.operations


class _Plan:
    """A plan in the making, for N benches."""

    def __init__(self, rules: Respacing, room_m2: Array) -> None:
        self._rules, self._room_m2 = rules, room_m2
        num_houses, self._num_slots = room_m2.shape
        self.operations: Operations = np.full((num_houses, rules.num_operations, 2), self._num_slots, np.int64)
        self.operations[:, :, 0] = self._num_slots + 1
        self.num_planned = np.zeros(num_houses, np.intp)
        self._houses = np.arange(num_houses)
        self._size = _sizes(room_m2)
        lattice = rules.lattice
        discs = (self._size[:, None] == np.arange(len(_SIZES_M2))[:, None]) & (room_m2 > 0)[:, None]
        spectrum = np.fft.rfft2(discs.reshape(num_houses, -1, lattice.num_rows, lattice.num_columns).astype(float))
        costs = np.einsum("nbij,abij->naij", spectrum, rules._spectrum, optimize=True)
        shape = (lattice.num_rows, lattice.num_columns)
        self._cost = np.rint(np.fft.irfft2(costs, s=shape)).reshape(num_houses, len(_SIZES_M2), self._num_slots)
        """`[N, size, S]`: floor that a disc of a size in a slot would share with those of all plants."""

    def harvest(self, ready: NDArray[np.bool_]) -> None:
        """Plan to harvest what is ready, as far as the robot gets."""
        houses, slots = np.nonzero(ready)
        first = np.searchsorted(houses, self._houses)
        turn = np.arange(houses.size) - first[houses]
        able = turn < self._rules.num_operations
        self.operations[houses[able], turn[able]] = np.stack([slots[able], np.full(able.sum(), self._num_slots)], 1)
        self.num_planned += np.minimum(ready.sum(axis=1), self._rules.num_operations)

    def move(self, movable: NDArray[np.bool_], max_planned: NDArray[np.intp]) -> None:
        """Plan moves of the most crowded plants, one in each bench at a time."""
        rules, untried = self._rules, movable & (self._room_m2 > 0)
        while True:
            shared = np.take_along_axis(self._cost, self._size[:, None], axis=1)[:, 0] - rules._itself[self._size]
            crowding = np.where(untried, shared * _UNIT_M2 / np.maximum(self._room_m2, LEAST_M2), 0.0)
            slots = crowding.argmax(axis=1)
            able = (crowding[self._houses, slots] > rules.min_gain) & (self.num_planned < max_planned)
            if not able.any():
                return
            houses, source = self._houses[able], slots[able]
            untried[houses, source] = False
            size, room_m2 = self._size[houses, source], self._room_m2[houses, source]
            cost = self._cost[houses, size] - rules._overlap[size[:, None], size[:, None], rules.lattice.shift[source]]
            cost[self._room_m2[houses] > 0] = np.inf
            target = cost.argmin(axis=1)
            gain = shared[houses, source] - cost[np.arange(len(houses)), target]
            good = gain * _UNIT_M2 > rules.min_gain * room_m2
            houses, source, target = houses[good], source[good], target[good]
            self._put(houses, source, size[good], room_m2[good], -1)
            self._put(houses, target, size[good], room_m2[good], 1)
            self._write(houses, source, target)

    def plant(self, num_new: NDArray[np.intp], room_m2: Array) -> None:
        """Plan to put in seedlings."""
        size = _sizes(room_m2)
        for number in range(num_new.max(initial=0)):
            houses = self._houses[num_new > number]
            cost = np.where(self._room_m2[houses] > 0, np.inf, self._cost[houses, size[houses]])
            target = cost.argmin(axis=1)
            empty = np.isfinite(cost[np.arange(len(houses)), target])
            houses, target = houses[empty], target[empty]
            self._put(houses, target, size[houses], room_m2[houses], 1)
            self._write(houses, np.full(len(houses), self._num_slots), target)

    def _put(self, houses: NDArray[np.intp], slots: NDArray[np.intp], size: Array, room_m2: Array, sign: int) -> None:
        """Add (1) or take away (-1) a plant in one slot of some benches."""
        seen = self._rules.lattice.shift[slots]
        self._cost[houses] += sign * self._rules._overlap[:, size[:, None], seen].swapaxes(0, 1)
        self._room_m2[houses, slots] = room_m2 if sign > 0 else 0
        self._size[houses, slots] = size

    def _write(self, houses: NDArray[np.intp], source: NDArray[np.intp], target: NDArray[np.intp]) -> None:
        self.operations[houses, self.num_planned[houses]] = np.stack([source, target], axis=1)
        self.num_planned[houses] += 1


def _sizes(room_m2: Array) -> NDArray[np.intp]:
    """Return for each request the number of the nearest size."""
    return np.searchsorted(_BORDERS_M2, room_m2)


def overlap_m2(radius_a_m: Array, radius_b_m: Array, distance_m: Array) -> Array:
    """Return the area that two discs share: the lens of plane geometry, the smaller disc, or nothing."""
    a, b, d = np.broadcast_arrays(radius_a_m, radius_b_m, distance_m)
    small = np.minimum(a, b)
    apart = np.clip(d, np.maximum(np.abs(a - b), 1e-12), a + b)
    cos_a = np.clip((apart**2 + a**2 - b**2) / (2 * apart * a), -1, 1)
    cos_b = np.clip((apart**2 + b**2 - a**2) / (2 * apart * b), -1, 1)
    kite = (a + b - apart) * (apart + a - b) * (apart - a + b) * (apart + a + b)
    lens = a**2 * np.arccos(cos_a) + b**2 * np.arccos(cos_b) - np.sqrt(np.maximum(kite, 0)) / 2
    return np.asarray(np.where(d <= np.abs(a - b), np.pi * small**2, np.where(d >= a + b, 0.0, lens)))
