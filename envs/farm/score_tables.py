"""Means with intervals, and tables of them as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from envs.farm.integrator import Array


def interval(values: Array) -> str:
    """Return the mean of `[N]` with its 95 % interval (Student's t)."""
    mean = float(np.mean(values))
    if len(values) < 2 or not np.isfinite(values).all():
        return f"{mean:.3f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"


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
