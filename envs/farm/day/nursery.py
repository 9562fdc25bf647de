"""The nursery of FarmDay: trays of seedlings for the robot, and what of them comes to the bench as plants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from envs.farm.day.growth_value import size_of, vigour_of, weight_of_g
from envs.farm.day.settings import FarmDaySettings
from envs.farm.day.transplants import Executor, Transplanted, Tray
from envs.farm.growth.integrator import Array
from envs.farm.seedlings.draws import draw_seedlings
from envs.farm.seedlings.seedling import Seedling

SMALLEST, LARGEST = 0.3, 1.3
"""Sizes of seedlings."""


@dataclass
class Transplants:
    """What a day's transplanting came to, for N benches; up to D seedlings on each."""

    dry_weight_g: Array
    """`[N, D]`: of the seedlings planted, in the order of trays; zeros follow."""
    vigour: Array
    """`[N, D]`"""
    planted: Array
    """`[N]`"""
    taken: Array
    """Seedlings that cost a plug, `[N]`: planted, lost, or planted where no slot was left."""
    lost: Array
    missing: Array
    """Seedlings that were asked for and did not come to stand, `[N]`."""
    poor: Array
    """Poor seedlings among the planted, `[N]`."""
    strain: Array
    """Of the planted, their sum, `[N]`."""
    robot_s: Array


class Nursery:
    """Gives seedlings to an executor."""

    def __init__(self, settings: FarmDaySettings, executor: Executor) -> None:
        self.settings, self.executor = settings, executor

    def transplant(self, num_asked: NDArray[np.intp], seedlings_g: Array, seeds: NDArray[np.int64]) -> Transplants:
        """Let good seedlings be planted on N benches, `num_asked` `[N]`, at most D.

        `seedlings_g` `[N, D]` are their dry weights, `seeds` `[N, D]` those of trays. What is planted beyond what was
        asked for (poor seedlings may be) is thrown away, the last of it first.
        """
        trays = [self.trays(int(n), *of_bench) for n, *of_bench in zip(num_asked, seedlings_g, seeds, strict=True)]
        found = iter(self.executor.transplant([tray for of_bench in trays for tray in of_bench]))
        day = Transplants(*(np.zeros(seedlings_g.shape) for _ in range(2)), *(np.zeros(len(trays)) for _ in range(7)))
        for bench, of_bench in enumerate(trays):
            handled = [pair for tray in of_bench for pair in zip(tray.seedlings, next(found), strict=True)]
            self._enter(day, bench, handled, int(num_asked[bench]))
        return day

    def trays(self, num_asked: int, seedlings_g: Array, seeds: NDArray[np.int64]) -> list[Tray]:
        """Return trays with so many good seedlings of these weights in turn, and the poor ones that come with them."""
        layout, given = self.executor.settings, 0
        found: list[Tray] = []
        sizes = np.clip(size_of(seedlings_g, self.settings.seedlings.dry_weight_g), SMALLEST, LARGEST)
        while given < num_asked:
            seed = int(seeds[len(found)])
            drawn = draw_seedlings(np.random.default_rng(seed), layout)
            num_good = min(layout.num_good, num_asked - given)
            good = [replace(one, size=float(sizes[given + place])) for place, one in enumerate(drawn[:num_good])]
            found.append(Tray((*good, *drawn[layout.num_good :]), seed))
            given += num_good
        return found

    def _enter(
        self, day: Transplants, bench: int, handled: Sequence[tuple[Seedling, Transplanted]], num_asked: int
    ) -> None:
        planted = [(seedling, what) for seedling, what in handled if what.planted]
        day.lost[bench] = sum(what.lost is not None for _, what in handled)
        day.taken[bench] = day.lost[bench] + len(planted)
        day.robot_s[bench] = sum(what.seconds for _, what in handled)
        planted = planted[:num_asked]
        day.planted[bench] = len(planted)
        day.missing[bench] = num_asked - len(planted)
        day.poor[bench] = sum(not seedling.is_good for seedling, _ in planted)
        strain = np.array([what.strain for _, what in planted])
        day.strain[bench] = strain.sum()
        kinds = np.array([(seedling.size, seedling.quality) for seedling, _ in planted]).reshape(-1, 2)
        day.dry_weight_g[bench, : len(planted)] = weight_of_g(kinds[:, 0], self.settings.seedlings.dry_weight_g)
        day.vigour[bench, : len(planted)] = vigour_of(kinds[:, 1], strain)
