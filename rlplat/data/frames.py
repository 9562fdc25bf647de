"""Stacks of pictures, made of frames that are stored once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat import _core


def stack_frames(frames: NDArray[np.uint8], rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return uint8 [N, H, W, S C]: the frames [H, W, C] of each row of `rows` [N, S], behind one another by channel.

    `frames` [F, H, W, C] must be contiguous. IndexError: a row is outside of it.
    """
    (num, stack), (_, height, width, channels) = rows.shape, frames.shape
    out = np.empty((num, height, width, stack * channels), np.uint8)
    _core.stack_frames(frames, np.ascontiguousarray(rows, np.int64), out)
    return out
