"""FarmDay: days of growth between the work of a robot, on the same plants.

Bench, actions and observations are those of GreenhouseSpacing; tables have a fifth number for each slot. But what is
planted has gone through the robot's fingers: an executor transplants seedlings out of nursery trays, and one that it
drops, crushes or leaves is missing on the bench, one that it squeezed grows less until it has recovered, and a poor
one that it should have left stands there and grows slowly. `Settings.executor` says who does it: recorded outcomes, or
a skill in MuJoCo.

    reward        [N] EUR m-2, the farm's profit in the days of an action: the sum of `info["reward_terms"]`

Reward terms are `sales`, and what is paid: `rent`, `light`, `plugs`, `operations` (moves and harvests), `robot` (its
time in transplanting). `info["costs"]` counts besides what GreenhouseSpacing counts seedlings `lost`, `poor` ones
planted, places `missing` a plant that was asked for, and adds up the `strain` of those planted; `info["amounts"]` has
`robot_s`, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.farm.day.accounts import FARM_TERMS, farm_season, farm_terms
from envs.farm.day.executors import make_executor
from envs.farm.day.nursery import Nursery
from envs.farm.day.settings import FarmDaySettings
from envs.farm.growth.integrator import Array
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacing, GreenhouseSpacingVector, report
from envs.farm.spacing.observations import Observations
from envs.farm.spacing.plant_bench import Operations
from rlplat.interfaces import Arrays

_LAST_SEED = 2**31


class FarmDayVector(GreenhouseSpacingVector):
    """`num_envs` benches, see `GreenhouseSpacingVector`."""

    name = "FarmDay"
    Settings = FarmDaySettings
    settings: FarmDaySettings
    terms = FARM_TERMS
    shows_vigour = True

    def __init__(self, num_envs: int = 1, *, render_mode: str | None = None, **settings: Any) -> None:
        """Take settings by name (`FarmDaySettings`).

        Raises ConfigError: a setting that cannot be used, outcomes or a skill of another task.
        """
        super().__init__(num_envs, render_mode=render_mode, **settings)
        self.nursery = Nursery(self.settings, make_executor(self.settings))
        self._seeds: NDArray[np.int64] = np.empty((0, num_envs, 0), np.int64)
        self.reward_area_m2 = self.bench.lattice.area_m2

    def begin(self, generators: list[np.random.Generator]) -> Observations:
        """Clear the benches and draw what chance will bring, with one generator for each."""
        shape = self.settings.num_days, self.settings.seedlings.num_per_day
        self._seeds = np.stack([one.integers(_LAST_SEED, size=shape) for one in generators], axis=1)
        return super().begin(generators)

    def snapshot(self) -> Arrays:
        """See `GreenhouseSpacingVector.snapshot`."""
        return super().snapshot() | {"seeds": self._seeds.copy()}

    def restore(self, snapshot: Arrays) -> None:
        """See `GreenhouseSpacingVector.restore`."""
        super().restore(snapshot)
        self._seeds = snapshot["seeds"].copy()

    def _work(self, operations: Operations) -> dict[str, dict[str, Array]]:
        """Let seedlings be transplanted, and those that came to stand take the places planned for them."""
        num_slots = self.bench.lattice.num_slots
        asks = (operations[..., 0] == num_slots) & (operations[..., 1] < num_slots)
        num_asked = np.minimum(asks.sum(axis=1), self.settings.seedlings.num_per_day)
        done = self.nursery.transplant(num_asked, self._seedlings_g[self.day], self._seeds[self.day])
        comes = asks & (asks.cumsum(axis=1) <= done.planted[:, None])
        operations = np.where((asks & ~comes)[..., None], (num_slots + 1, num_slots), operations)
        breaks = self._breaks[self.day] & ~comes  # a seedling's harm is the executor's
        work = self.bench.work(operations, done.dry_weight_g, breaks, self._price[self.day], done.vigour)
        work.refused += asks.sum(axis=1) - num_asked  # no seedling is left for them
        self.schedule.owe(done.missing)
        found = report(work, farm_terms(self.accounts, self.settings, work, done))
        found["costs"] |= {name: getattr(done, name) for name in ("lost", "poor", "missing", "strain")}
        found["amounts"] |= {"robot_s": done.robot_s}
        return found

    def _measures(self) -> dict[str, Array] | None:
        season = self._sums.season(self.accounts)
        return None if season is None else vars(farm_season(season, self._sums.totals))


class FarmDay(GreenhouseSpacing):
    """One bench, see `GreenhouseSpacing`."""

    Vector = FarmDayVector
