"""The search for the best schedules and the best daily rule of GreenhouseSpacing, on seeds of its own.

In two rounds: every combination of the grid on a few seeds, then the `FINALISTS` best on more. Best is who needs the
least area-days for a head of 250 g and full quality, which is what re-spacing is for. `EqualMoves` is a search among
those schedules of three stages that make no more moves than a policy which they are compared with.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.farm.growth.integrator import Array
from envs.farm.growth.parameters import load_crop
from envs.farm.spacing.accounts import Season
from envs.farm.spacing.plant_bench import PlantBench
from envs.farm.spacing.policies import Densities, HoldLeafArea, Policy, WeightDensities, play
from envs.farm.spacing.respacing import LEAST_M2
from envs.farm.spacing.schedule import Schedule
from envs.farm.spacing.settings import NUM_CLASSES, SpacingSettings

DENSITIES_PER_M2 = (80.0, 60.0, 45.0, 35.0, 30.0, 25.0)
DENSITIES_OF_HEADS_PER_M2 = (5.0, 6.0, 7.0, 8.0, 10.0, 12.0)
EXPONENTS = (0.8, 1.1, 1.4, 1.7, 2.0)
LEAF_AREA_INDICES = (4.0, 5.0, 6.0, 7.0, 8.0)
SEEDLINGS_PER_DAY = (2.0, 2.25, 2.5, 2.75, 3.0)

FIRST_SEEDS, FINAL_SEEDS = range(1), range(1, 5)
EQUAL_MOVES_SEEDS = range(4)
"""Of the first round of `EqualMoves`, which chooses among schedules closer to each other."""
FINALISTS = 10
_MOVES_BY_CHANCE = 0.05
"""Moves for a head by which a mean over the seeds of the first round may be too high."""
_SIDE_BY_SIDE = 64
"""Benches of one vector."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Winner:
    """The best row of a grid."""

    row: Array
    area_days: float
    """Mean over the final seeds, m2 d for a head."""
    num_tried: int


def staged(num_stages: int, densities_per_m2: Sequence[float] = DENSITIES_PER_M2) -> Array:
    """Return all schedules `[C, 6]` of so many stages: densities that fall, boundaries between any classes."""
    rows = []
    for levels in itertools.combinations(sorted(densities_per_m2, reverse=True), num_stages):
        for borders in itertools.combinations(range(1, NUM_CLASSES), num_stages - 1):
            lengths = np.diff([0, *borders, NUM_CLASSES])
            rows.append(np.repeat(levels, lengths))
    return np.array(rows)


def by_power_of_weight() -> Array:
    """Return schedules by weight `[C, 6]`: room in proportion to a power of weight, at most 100 plants m-2."""
    weights_g = Schedule(PlantBench(SpacingSettings(), load_crop("lettuce").plant, 1)).weights_g
    pairs = itertools.product(DENSITIES_OF_HEADS_PER_M2, EXPONENTS)
    rows = [np.minimum(head * (weights_g[-1] / weights_g) ** power, 1 / LEAST_M2) for head, power in pairs]
    return np.round(rows, 2)


def search(
    rows: Array,
    policy_of: Callable[[Array], Policy],
    *,
    first_seeds: Sequence[int] = FIRST_SEEDS,
    final_seeds: Sequence[int] = FINAL_SEEDS,
    progress: Progress | None = None,
) -> Winner:
    """Try rows `[C, P]`; `policy_of` makes a policy of one row for each bench, `[N, P]`."""
    first = _seasons(rows, policy_of, first_seeds, progress).area_days_per_head.mean(axis=1)
    finalists = rows[np.argsort(first, kind="stable")[:FINALISTS]]
    final = _seasons(finalists, policy_of, final_seeds, progress).area_days_per_head.mean(axis=1)
    if progress:
        progress(f"{finalists[final.argmin()].tolist()}: {final.min():.4f}")
    return Winner(finalists[final.argmin()], float(final.min()), len(rows))


def search_all(progress: Progress | None = None) -> dict[str, Winner]:
    """Search one, two and three stages, room by weight, and the daily rule."""

    def schedules(rows: Array) -> Policy:
        return Densities(rows)

    def rule(rows: Array) -> Policy:
        return HoldLeafArea(*rows.T)

    stages = {"fixed": 1, "two_stages": 2, "three_stages": 3}
    winners = {name: search(staged(number), schedules, progress=progress) for name, number in stages.items()}
    winners["by_weight"] = search(by_power_of_weight(), WeightDensities, progress=progress)
    rules = np.array(list(itertools.product(LEAF_AREA_INDICES, SEEDLINGS_PER_DAY)))
    winners["hold_lai"] = search(rules, rule, progress=progress)
    return winners


class EqualMoves:
    """All schedules of three stages, in episodes of these settings."""

    def __init__(self, *, progress: Progress | None = None, **settings: Any) -> None:
        self.rows = staged(3)
        self._settings, self._progress = settings, progress
        self._first = self._seasons(self.rows, EQUAL_MOVES_SEEDS)

    def best(self, moves_per_head: float, seeds: Sequence[int]) -> tuple[Array, Season] | None:
        """Return the densities `[6]` that need the least area-days on these seeds with at most so many moves.

        Both are means over the seeds; with what each seed brought. None: all make more moves.
        """
        moves = self._first.moves_per_head.mean(axis=1)
        by_area = np.argsort(self._first.area_days_per_head.mean(axis=1), kind="stable")
        limits = moves_per_head, moves_per_head + _MOVES_BY_CHANCE
        best_first = [by_area[moves[by_area] <= most][:FINALISTS] for most in limits]
        finalists = self.rows[np.unique([moves.argmin(), *np.concatenate(best_first)])]
        final = self._seasons(finalists, seeds)
        allowed = final.moves_per_head.mean(axis=1) <= moves_per_head
        if not allowed.any():
            return None
        best = int(np.where(allowed, final.area_days_per_head.mean(axis=1), np.inf).argmin())
        return finalists[best], Season(**{name: values[best] for name, values in vars(final).items()})

    def _seasons(self, rows: Array, seeds: Sequence[int]) -> Season:
        return _seasons(rows, Densities, seeds, self._progress, **self._settings)


def as_yaml(winners: dict[str, Winner]) -> str:
    """Return the text of `schedules.yaml`."""
    lines = [
        "# The best of their grids, written by `python -m envs.farm.scores spacing --search`; `area_days`: m2 d for a",
        "# head of 250 g and full quality, mean over the seeds of the search's last round.",
    ]
    for name, winner in winners.items():
        numbers = [float(number) for number in winner.row]
        if name == "hold_lai":
            lines += [f"{name}:", f"  leaf_area_index: {numbers[0]}", f"  num_per_day: {numbers[1]}"]
        else:
            lines += [f"{name}:", f"  per_m2: {numbers}"]
        lines += [f"  area_days: {winner.area_days:.4f}", f"  num_tried: {winner.num_tried}"]
    return "\n".join(lines) + "\n"


def _seasons(
    rows: Array,
    policy_of: Callable[[Array], Policy],
    seeds: Sequence[int],
    progress: Progress | None,
    **settings: Any,
) -> Season:
    """Return what rows `[C, P]` bring, each `[C, seeds]`."""
    chunk = max(1, _SIDE_BY_SIDE // len(seeds))
    seasons: list[Season] = []
    for begin in range(0, len(rows), chunk):
        part = rows[begin : begin + chunk]
        seasons.append(play(policy_of(np.repeat(part, len(seeds), axis=0)), [*seeds] * len(part), **settings))
        if progress:
            least = min(one.area_days_per_head.reshape(-1, len(seeds)).mean(axis=1).min() for one in seasons)
            progress(f"{begin + len(part)} of {len(rows)} on {len(seeds)} seeds: best {least:.3f}")
    together = {name: np.concatenate([vars(one)[name] for one in seasons]) for name in vars(seasons[0])}
    return Season(**{name: values.reshape(-1, len(seeds)) for name, values in together.items()})
