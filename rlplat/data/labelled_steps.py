"""Steps of a task that somebody has labelled, each frame kept once; the newest ones, if not all fit.

Axes: K steps, M rows, B batch. A row is a step, or a frame that only completes the stacks of steps after it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rlplat.data.frames import stacked
from rlplat.interfaces import Arrays, Observed

FRAMES = "frames/"
"""Before the names of arrays of frames `[M, H, W, C]`; others are by step, `[K, ...]`."""
ROWS = "rows"
"""`[K]`: the row of each step, which holds its newest frame."""
WHOLE = "whole"


class LabelledSteps:
    """A ring of rows. What is drawn depends on what was added and on the caller's generator only.

    Args:
        parts: what belongs to a step, by name. Pictures are stacks of `frame_stack` frames, of which one is kept.
        capacity: rows.
    """

    def __init__(self, parts: Mapping[str, Observed], *, capacity: int, frame_stack: int) -> None:
        self._frame_stack, self._capacity = frame_stack, capacity
        self._pictures = {name for name, part in parts.items() if part.is_image}
        self._rings: Arrays = {
            name: np.zeros((capacity, *_kept_shape(part, frame_stack)), part.dtype) for name, part in parts.items()
        }
        self._whole = np.zeros(capacity, bool)
        """Which rows are steps with all of their frames."""
        self._drawable: NDArray[np.int64] = np.zeros(0, np.int64)
        self._num_added = 0
        """Rows so far."""

    def __len__(self) -> int:
        """Steps that can be drawn."""
        return len(self._drawable)

    def add(self, arrays: Arrays) -> None:
        """Add steps: arrays by name, pictures as frames (`rlplat.data.frames`), and where these are (`ROWS`)."""
        rows = arrays[ROWS]
        num_rows = max((len(array) for name, array in arrays.items() if name.startswith(FRAMES)), default=len(rows))
        first = max(0, num_rows - self._capacity)  # of more rows than fit the newest are kept
        places = (self._num_added + np.arange(first, num_rows)) % self._capacity
        kept = rows >= first
        of_steps = places[rows[kept] - first]
        for name, ring in self._rings.items():
            if name in self._pictures:
                ring[places] = arrays[FRAMES + name][first:]
            else:
                ring[of_steps] = arrays[name][kept]
        self._whole[places] = False
        self._whole[of_steps] = True
        self._num_added += num_rows
        # The oldest rows have lost frames before them.
        self._whole[(self._num_added + np.arange(self._frame_stack - 1)) % self._capacity] = False
        self._drawable = np.flatnonzero(self._whole)

    def draw(self, batch_size: int, rng: np.random.Generator) -> Arrays:
        """Steps `[B, ...]` by name, each drawn alone and uniformly."""
        rows = self._drawable[rng.integers(len(self._drawable), size=batch_size)]
        return {
            name: stacked(ring, rows, self._frame_stack) if name in self._pictures else ring[rows]
            for name, ring in self._rings.items()
        }

    def snapshot(self) -> Arrays:
        """All of it; not copied."""
        used = min(self._num_added, self._capacity)
        arrays = {name: ring[:used] for name, ring in self._rings.items()}
        return arrays | {WHOLE: self._whole[:used], "num_added": np.array(self._num_added)}

    def restore(self, arrays: Arrays) -> None:
        """Go on from a snapshot. KeyError or ValueError if it is of other steps, or of more than fit."""
        used = len(arrays[WHOLE])
        for name, ring in self._rings.items():
            ring[:used] = arrays[name]
        self._whole[:used] = arrays[WHOLE]
        self._num_added = int(arrays["num_added"])
        self._drawable = np.flatnonzero(self._whole)


def bytes_of(parts: Mapping[str, Observed], *, capacity: int, frame_stack: int) -> int:
    """What `LabelledSteps` take when they are full."""
    row = sum(math.prod(_kept_shape(part, frame_stack)) * np.dtype(part.dtype).itemsize for part in parts.values())
    return capacity * (row + 9)  # and which rows are whole


def _kept_shape(part: Observed, frame_stack: int) -> tuple[int, ...]:
    if not part.is_image:
        return part.shape
    *sides, channels = part.shape
    return (*sides, channels // frame_stack)
