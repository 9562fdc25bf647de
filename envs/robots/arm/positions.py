"""Where things are put: anywhere in an area, or only on the fields of one colour of a chess board that lies over it.

So a policy that was trained on one colour can be evaluated on positions that it has never seen.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Positions = Literal["all", "training", "new"]

FIELD_M = 0.1
"""Edge of a field. The corner of one lies at the origin."""


def is_new(position: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the positions [..., 2 or more] (x, y in metres) lie on fields that training leaves out."""
    fields = np.floor(position[..., :2] / FIELD_M).astype(int)
    flags: NDArray[np.bool_] = fields.sum(axis=-1) % 2 == 1
    return flags


def draw_position(
    generator: np.random.Generator, low: tuple[float, ...], high: tuple[float, ...], positions: Positions
) -> NDArray[np.float64]:
    """Draw a point of the box from `low` to `high` (metres), uniformly over what `positions` allows."""
    while True:
        point = generator.uniform(low, high)
        if positions == "all" or is_new(point) == (positions == "new"):
            return point
