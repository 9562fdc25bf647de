"""Means with intervals, and tables of them as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from envs.farm.growth.integrator import Array


def interval(values: Array) -> str:
    """Return the mean of `[N]` with its 95 % interval (Student's t)."""
    mean, (low, high) = float(np.mean(values)), ends(values)
    return f"{mean:.3f}" if np.isnan(low) else f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def ends(values: Array) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the mean of `[N]` (Student's t); nan of one value or infinite ones."""
    if len(values) < 2 or not np.isfinite(values).all():
        return np.nan, np.nan
    mean, half = float(np.mean(values)), float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean - half, mean + half


def share_of_gap(values: Array, low: Array, high: Array) -> str:
    """Return how far `values` come from `low` to `high`, all `[N]` on the same seeds: the ratio of mean differences.

    With the 95 % interval of a percentile bootstrap over seeds, the same each time.
    """

    def share(values: Array, low: Array, high: Array, axis: int = -1) -> Array:
        return np.asarray((values - low).mean(axis=axis) / (high - low).mean(axis=axis))

    mean = float(share(values, low, high))
    if len(values) < 2:
        return f"{mean:.2f}"
    found = stats.bootstrap((values, low, high), share, paired=True, method="percentile", n_resamples=2000, rng=0)
    ends = found.confidence_interval
    return f"{mean:.2f} [{ends.low:.2f}, {ends.high:.2f}]"


def header(columns: Sequence[str]) -> Iterator[str]:
    """Return the first two lines of a table."""
    yield line(columns)
    yield "|" + "---|" * len(columns)


def line(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def named(name: str, privileged: bool) -> str:
    """Return a policy's name, marked if it sees what a policy may not."""
    return f"{name} (privileged)" if privileged else name
