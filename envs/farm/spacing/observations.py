"""What a policy sees of the bench: a table of slots, sums by age class, or the picture from above.

    table     [4 S + 4]  for every slot shoot dry weight g, age d, share of light, part of the price; zeros where empty
    classes   [3 x 6 + 4] plants, mean shoot dry weight g and mean share of light of each age class
    overhead  {"overhead": uint8 [H, W, 3], "numbers": [4]}

In FarmDay a slot has a fifth number, its plant's vigour. Each ends with, or has as `numbers`: share of the days that
are over, price over the usual, plants on the bench, seedlings in the nursery. None shows reserves. Beside pictures is
the group `privileged` `[3 x 6]`: the sums of `classes`, for the critic of an agent alone. With operations as actions
there is the group `action_mask` `[2 S + 3]`: whether a source, and then a target, is possible at the beginning of the
day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array
from envs.farm.spacing.overhead_view import OverheadView
from envs.farm.spacing.plant_bench import AGE, QUALITY, STRUCTURE, VIGOUR, PlantBench
from envs.farm.spacing.settings import NUM_CLASSES

NUM_NUMBERS = 4
PIXELS_PER_PITCH = 5
"""Pixels of the overhead picture to 0.1 m."""
NOISE = 6
"""Grey levels, of 255, by which the camera errs at most."""

Observations = dict[str, Any]


class Observer:
    """Makes the observations of benches."""

    def __init__(self, bench: PlantBench, *, shows_vigour: bool = False) -> None:
        self._bench, self._shows_vigour = bench, shows_vigour
        self._kind = bench.settings.observation
        self._view = OverheadView(bench.lattice, PIXELS_PER_PITCH) if self._kind == "overhead" else None
        groups = {"policy": self._policy_space()}
        if self._view is not None:
            groups["privileged"] = _box(_sums_within(bench.lattice.num_slots))
        if bench.settings.action == "operations":
            groups["action_mask"] = gym.spaces.Box(0, 1, (2 * bench.lattice.num_slots + 3,), np.int8)
        self.space = gym.spaces.Dict(groups)
        """Of one bench."""

    def observe(self, share_over: float, price: Array, generators: Sequence[np.random.Generator]) -> Observations:
        """Return the observations of all benches; generators, one for each, make the camera's noise."""
        bench, num_houses = self._bench, self._bench.num_houses
        numbers = np.empty((num_houses, NUM_NUMBERS), np.float32)
        numbers[:, 0], numbers[:, 1], numbers[:, 2] = share_over, price, bench.present.sum(axis=1)
        numbers[:, 3] = bench.settings.seedlings.num_per_day
        groups: Observations = {}
        if self._view is not None:
            noise = np.stack(
                [one.integers(-NOISE, NOISE, self._view.shape, np.int8, endpoint=True) for one in generators]
            )
            groups["policy"] = {"overhead": self._view.draw(bench, noise), "numbers": numbers}
            groups["privileged"] = self.classes().reshape(num_houses, -1).astype(np.float32)
        else:
            rows = self._table() if self._kind == "table" else self.classes()
            groups["policy"] = np.concatenate([rows.reshape(num_houses, -1).astype(np.float32), numbers], axis=1)
        if bench.settings.action == "operations":
            groups["action_mask"] = self._mask()
        return groups

    def _table(self) -> Array:
        bench = self._bench
        weight_g = bench.model.shoot_dry_weight_g(bench.plants[: STRUCTURE + 1])
        rows = [weight_g, bench.plants[AGE], bench.light_share, bench.plants[QUALITY]]
        return np.stack([*rows, bench.plants[VIGOUR]] if self._shows_vigour else rows, axis=2)

    def classes(self) -> Array:
        """Return plants, mean shoot dry weight g and mean share of light of each age class, `[N, 6, 3]`."""
        bench, num_houses = self._bench, self._bench.num_houses
        houses, slots = np.nonzero(bench.present)
        plants = bench.plants[:, houses, slots]
        age_class = np.minimum(plants[AGE] // bench.settings.class_days, NUM_CLASSES - 1).astype(np.intp)
        place, size = houses * NUM_CLASSES + age_class, num_houses * NUM_CLASSES
        count = np.bincount(place, minlength=size)
        weight_g = bench.model.shoot_dry_weight_g(plants[: STRUCTURE + 1])
        sums = [np.bincount(place, of, size) for of in (weight_g, bench.light_share[houses, slots])]
        rows = np.stack([count, *(total / np.maximum(count, 1) for total in sums)])
        return rows.reshape(3, num_houses, NUM_CLASSES).transpose(1, 2, 0)

    def _mask(self) -> NDArray[np.int8]:
        present = self._bench.present
        nursery = np.full((len(present), 1), self._bench.settings.seedlings.num_per_day > 0)
        always = np.ones((len(present), 1), dtype=bool)
        return np.concatenate([present, nursery, always, ~present, always], axis=1).astype(np.int8)

    def _policy_space(self) -> gym.spaces.Space[Any]:
        slots = self._bench.lattice.num_slots
        numbers = [(0, 1), (0, np.inf), (0, slots), (0, np.inf)]
        if self._view is not None:
            picture = gym.spaces.Box(0, 255, self._view.shape, np.uint8)
            return gym.spaces.Dict({"overhead": picture, "numbers": _box(numbers)})
        one, share = (0, np.inf), (0, 1)
        in_slot = [one, one, share, share, share] if self._shows_vigour else [one, one, share, share]
        rows = in_slot * slots if self._kind == "table" else _sums_within(slots)
        return _box([*rows, *numbers])


def sampling_mask(mask: NDArray[np.int8], num_operations: int) -> tuple[Any, ...]:
    """Return one bench's `action_mask` in the form that `MultiDiscrete.sample(mask=...)` takes."""
    sources = (len(mask) - 3) // 2 + 2
    return ((mask[:sources], mask[sources:]),) * num_operations


def _sums_within(num_slots: int) -> list[tuple[float, float]]:
    return [(0, num_slots), (0, np.inf), (0, 1)] * NUM_CLASSES


def _box(limits: Sequence[tuple[float, float]]) -> gym.spaces.Box:
    low, high = np.array(limits, np.float32).T
    return gym.spaces.Box(low, high, dtype=np.float32)
