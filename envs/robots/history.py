"""The newest values of many simulations, for what is delayed and what is stacked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat.data.frames import stack_frames


class History:
    """The newest `length` values of N simulations, each of `shape`, in a ring."""

    def __init__(self, num: int, length: int, shape: tuple[int, ...], dtype: Any) -> None:
        self.values: NDArray[Any] = np.zeros((length, num, *shape), dtype)
        self._simulations = np.arange(num)
        self._newest = 0

    def fill(self, ids: NDArray[np.intp], value: Any) -> None:
        """Make `value` all that these simulations ever had."""
        self.values[:, ids] = value

    def push(self, value: NDArray[Any]) -> None:
        """Add a value of every simulation, [N, ...], in place of the oldest."""
        self.advance()[:] = value

    def advance(self) -> NDArray[Any]:
        """Return the place of the oldest value, [N, ...], to write a new one into."""
        self._newest = (self._newest + 1) % len(self.values)
        place: NDArray[Any] = self.values[self._newest]
        return place

    def snapshot(self) -> NDArray[Any]:
        """Return all values [length, N, ...], the oldest first."""
        return np.roll(self.values, -self._newest - 1, axis=0)

    def restore(self, values: NDArray[Any]) -> None:
        """Go on from a snapshot."""
        self.values[:] = values
        self._newest = len(values) - 1

    def before(self, steps: NDArray[np.intp]) -> NDArray[Any]:
        """Return what each simulation had so many pushes ago, [N, ...], to read; `steps` [N], each below `length`."""
        if len(self.values) == 1:
            return self.values[0]
        return self.values[(self._newest - steps) % len(self.values), self._simulations]

    def stacked(self, steps: NDArray[np.intp], num: int) -> NDArray[Any]:
        """Return `num` consecutive values along the last axis; the newest, last, is that of `before(steps)`."""
        if self.values.dtype == np.uint8 and self.values.ndim == 5:
            ages = steps[:, None] + np.arange(num)[::-1]
            rows = (self._newest - ages) % len(self.values) * len(self._simulations) + self._simulations[:, None]
            return stack_frames(self.values.reshape(-1, *self.values.shape[2:]), rows)
        return np.concatenate([self.before(steps + age) for age in reversed(range(num))], axis=-1)
