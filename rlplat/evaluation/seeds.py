"""Runs of several seeds together: the interquartile mean of what each achieved, with a stratified bootstrap.

After Agarwal, Schwarzer, Castro, Courville and Bellemare, "Deep reinforcement learning at the edge of the statistical
precipice" (NeurIPS 2021, section 4): the mean of the middle half of all runs is less at the mercy of one of them than
the mean, and wastes less than the median. What is resampled are runs, within each task: their number, not that of
their episodes, is what limits what is known of an agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from rlplat.evaluation.episodes import RESAMPLES, Returns
from rlplat.evaluation.statistics import CONFIDENCE

TRIMMED = 0.25
"""Share of runs that is left out at each end. Of three runs none is: their interquartile mean is their mean."""


@dataclass(frozen=True)
class AcrossRuns:
    """What several runs achieved together."""

    measure: str
    """`return` or `success`."""
    player: str
    split: str
    num_runs: int
    num_tasks: int
    mean: float
    """Interquartile mean over runs."""
    low: float
    """Ends of its 95 % interval; the same number where there is one run of each task."""
    high: float
    runs: tuple[float, ...]
    """What each run achieved, in the order of the runs."""


def across_runs(runs: Sequence[Sequence[Returns]]) -> list[AcrossRuns]:
    """Put the rows of several runs together.

    Only players and splits that all runs have are looked at. Returns are put together where all runs have one task, as
    those of different tasks have no common scale; shares of successes always have.
    """
    tasks = [rows[0].task for rows in runs]
    tables = [{(row.split, row.player): row for row in rows} for rows in runs]
    common = [key for key in tables[0] if all(key in table for table in tables)]
    found = []
    for key in common:
        rows = [table[key] for table in tables]
        measures: dict[str, list[float]] = {}
        if len(set(tasks)) == 1:
            measures["return"] = [row.mean_return for row in rows]
        shares = [row.success for row in rows if row.success is not None]
        if len(shares) == len(rows):
            measures["success"] = shares
        for measure, values in measures.items():
            by_task = {task: np.array([v for v, of in zip(values, tasks, strict=True) if of == task]) for task in tasks}
            low, high = stratified_interval(by_task)
            split, player = key
            mean = interquartile_mean(np.array(values))
            found.append(AcrossRuns(measure, player, split, len(rows), len(by_task), mean, low, high, tuple(values)))
    return found


def interquartile_mean(values: NDArray[np.float64]) -> float:
    """The mean of the middle half of values `[R]`."""
    return float(stats.trim_mean(values, TRIMMED))


def stratified_interval(by_task: Mapping[str, NDArray[np.float64]]) -> tuple[float, float]:
    """The 95 % interval of the interquartile mean of all values, `[R]` by task: percentile bootstrap within tasks.

    The same each time.
    """
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.choice(values, (RESAMPLES, len(values))) for values in by_task.values()], axis=1)
    means = stats.trim_mean(drawn, TRIMMED, axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
