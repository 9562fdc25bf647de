"""The rollouts of a round, as the learner takes them apart. Axes: T steps, N environments, B = the steps that count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat.interfaces import Arrays


@dataclass(frozen=True)
class Rollouts:
    """What one collector brought, or several, whose environments stand side by side."""

    observations: Arrays
    """By part, `[T + 1, N, ...]`: before every step and after the last one."""
    last: Arrays
    """By part, `[K, ...]`: of the episodes that were broken off, by step and then by environment."""
    arrays: Arrays
    """`actions`, `rewards`, `terminated`, `truncated`, `counts`, `discounted`: `[T, N, ...]`."""

    @classmethod
    def of(cls, arrays: Arrays) -> Rollouts:
        """Take apart what `PpoCollector.collect` brought."""
        groups: dict[str, Arrays] = {"observations": {}, "last": {}, "": {}}
        for name, array in arrays.items():
            group, slash, part = name.partition("/")
            groups[group if slash else ""][part if slash else name] = array
        return cls(groups["observations"], groups["last"], groups[""])

    @classmethod
    def side_by_side(cls, parts: Sequence[Rollouts]) -> Rollouts:
        """Rollouts of several collectors as one."""
        if len(parts) == 1:
            return parts[0]
        order = np.lexsort(np.concatenate([part._places_cut(index) for index, part in enumerate(parts)], axis=1))

        def joined(arrays: Sequence[Arrays], axis: int) -> Arrays:
            return {name: np.concatenate([each[name] for each in arrays], axis=axis) for name in arrays[0]}

        last = joined([part.last for part in parts], 0)
        return cls(
            joined([part.observations for part in parts], 1),
            {name: array[order] for name, array in last.items()},
            joined([part.arrays for part in parts], 1),
        )

    @property
    def ended(self) -> NDArray[np.bool_]:
        """`[T, N]`: where the next row belongs to another episode."""
        ended: NDArray[np.bool_] = self.arrays["terminated"] | self.arrays["truncated"]
        return ended

    def next_values(self, values: NDArray[np.float64], last_values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value of what each step led to, `[T, N]`, by those of all observations `[T + 1, N]` and of `last` `[K]`.

        0 where the episode terminated; where it was broken off, that of its last observation.
        """
        found: NDArray[np.float64] = np.where(self.arrays["terminated"], 0.0, values[1:])
        found[self.arrays["truncated"]] = last_values
        return found

    def counted(self, array: NDArray[Any]) -> NDArray[Any]:
        """The rows `[B, ...]` of an array `[T, N, ...]` that are steps, not mere beginnings of an episode."""
        rows: NDArray[Any] = array[self.arrays["counts"]]
        return rows

    def _places_cut(self, collector: int) -> NDArray[np.int64]:
        """Keys of the rows of `last`, the weightiest at the end: environment, collector, step."""
        step, env = np.nonzero(self.arrays["truncated"])
        return np.stack([env, np.full_like(env, collector), step])
