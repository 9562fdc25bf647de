"""The schedule actions: how densely plants of each age or weight shall stand, and the operations that follow."""

from __future__ import annotations

import numpy as np

from envs.farm.growth.integrator import Array
from envs.farm.spacing.plant_bench import AGE, Operations, PlantBench
from envs.farm.spacing.respacing import LEAST_M2, Respacing
from envs.farm.spacing.settings import NUM_CLASSES
from rlplat.interfaces import Arrays

FIRST_LIFE_D = 24.0
"""Days from planting to harvest that are reckoned with until heads are harvested."""


def room_m2(actions: Array, least_per_m2: float) -> Array:
    """Return the room of a plant for actions from 0 (0.01 m2, 100 plants m-2) to 1 (`least_per_m2` plants m-2).

    Equal steps of the action are equal ratios of room.
    """
    return np.asarray(LEAST_M2 * (1 / (least_per_m2 * LEAST_M2)) ** np.asarray(actions, dtype=np.float64))


def action_for(density_per_m2: Array, least_per_m2: float) -> Array:
    """Return the action for a density: the inverse of `room_m2`."""
    return np.asarray(np.log(np.asarray(density_per_m2) * LEAST_M2) / np.log(least_per_m2 * LEAST_M2))


class Schedule:
    """Turns schedules `[N, 6]` of the benches into operations.

    Heads of `harvest_g` are harvested. By age, a plant may be moved on the day on which its class gives it more room;
    by weight, on any day, as its room grows with it. Seedlings are planted at the rate at which the bench stays full,
    area over the area-days that a head takes by the schedule, while the plants that are there leave room.
    """

    def __init__(self, bench: PlantBench) -> None:
        self.bench = bench
        self.respacing = Respacing(bench.lattice, bench.settings.robot.num_operations)
        self._by_weight = bench.settings.action == "weight_schedule"
        seedling_g = bench.settings.seedlings.dry_weight_g / bench.model.parameters.dry_matter_fraction
        self.weights_g: Array = np.geomspace(seedling_g, bench.settings.harvest_g, NUM_CLASSES)
        """Fresh weights to which a schedule by weight gives rooms, a seedling's to a head's."""
        self.life_d: Array = np.empty(bench.num_houses)
        """Days from planting to harvest, a running mean."""
        self._due: Array = np.empty(bench.num_houses)
        self._owed: Array = np.empty(bench.num_houses)
        self.reset()

    def reset(self) -> None:
        """Forget what the last crop took."""
        self.life_d[:] = FIRST_LIFE_D
        self._due[:] = 0
        self._owed[:] = 0

    def snapshot(self) -> Arrays:
        """Return what is known of this crop."""
        return {"life_d": self.life_d, "due": self._due, "owed": self._owed}

    def restore(self, snapshot: Arrays) -> None:
        """Go on from a snapshot."""
        self.life_d[:], self._due[:], self._owed[:] = (snapshot[name] for name in ("life_d", "due", "owed"))

    def owe(self, number: Array) -> None:
        """Plant so many seedlings more the next time, `[N]`, for those that did not come to stand."""
        self._owed += number

    def operations(self, actions: Array) -> Operations:
        """Return the day's operations."""
        bench, settings = self.bench, self.bench.settings
        age, present = bench.plants[AGE].astype(np.intp), bench.present
        of_class = room_m2(actions, settings.least_density_per_m2)
        if self._by_weight:
            wanted_m2, movable = self._of_weight(of_class), present
        else:
            wanted_m2 = self._of_age(of_class, age)
            movable = present & (wanted_m2 > self._of_age(of_class, np.maximum(age - 1, 0)))
        ready = present & (bench.fresh_weight_g() >= settings.harvest_g)
        self._learn_life(ready, age)
        growing_m2 = np.where(present & ~ready, wanted_m2, 0.0)
        return self.respacing.plan(
            growing_m2,
            ready=ready,
            movable=movable,
            num_new=self._num_new(of_class, growing_m2.sum(axis=1)),
            new_room_m2=of_class[:, 0],
        )

    def area_days(self, of_class: Array) -> Array:
        """Return the area-days `[N]` of a head, m2 d, by rooms of classes `[N, 6]` and the life known so far.

        By weight, a plant is taken to need the same time from each weight to the next, and its room to grow evenly in
        between. That is more than it takes, as rooms grow in equal ratios, and leaves benches some slack.
        """
        if self._by_weight:
            return np.asarray(self.life_d * np.trapezoid(of_class, axis=1) / (NUM_CLASSES - 1))
        begin = self.bench.settings.class_days * np.arange(NUM_CLASSES)
        longest = np.append(np.full(NUM_CLASSES - 1, self.bench.settings.class_days), np.inf)
        return np.asarray((of_class * np.clip(self.life_d[:, None] - begin, 0, longest)).sum(axis=1))

    def _of_age(self, of_class: Array, age: np.ndarray) -> Array:
        classes = np.minimum(age // self.bench.settings.class_days, NUM_CLASSES - 1)
        return np.take_along_axis(of_class, classes, axis=1)

    def _of_weight(self, of_class: Array) -> Array:
        """Return room by weight, in equal ratios between the weights to which rooms are given."""
        ratio = np.maximum(self.bench.fresh_weight_g(), self.weights_g[0]) / self.weights_g[0]
        place = np.minimum(np.log(ratio) / np.log(self.weights_g[1] / self.weights_g[0]), NUM_CLASSES - 1)
        below = np.minimum(place.astype(np.intp), NUM_CLASSES - 2)
        low, high = (np.take_along_axis(of_class, at, axis=1) for at in (below, below + 1))
        return np.asarray(low * (high / low) ** (place - below))

    def _learn_life(self, ready: np.ndarray, age: np.ndarray) -> None:
        num_ready = ready.sum(axis=1)
        mean_d = (age * ready).sum(axis=1) / np.maximum(num_ready, 1)
        self.life_d += (1 - 0.9**num_ready) * (mean_d - self.life_d)

    def _num_new(self, of_class: Array, taken_m2: Array) -> np.ndarray:
        """Return how many seedlings to plant, `[N]`; what is not a whole one waits for the next day."""
        area_m2 = self.bench.lattice.area_m2
        self._due = np.minimum(self._due, 1) + area_m2 / self.area_days(of_class) + self._owed
        self._owed[:] = 0
        fitting = np.floor(np.maximum(area_m2 - taken_m2, 0) / of_class[:, 0] + 1e-9)
        number = np.minimum(np.minimum(np.floor(self._due), fitting), self.bench.settings.seedlings.num_per_day)
        self._due -= number
        return np.asarray(number, dtype=np.intp)
