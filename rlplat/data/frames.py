"""Stacks of frames, each frame kept once.

Axes: T steps, N environments, H rows, W columns, C channels of a frame, S frames of a stack, K steps that count, M
frames, B batch.
A stack is `[..., H, W, S C]`: the newest frame is last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat import _core
from rlplat.errors import EnvError

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


def rows_of_frames(begins: Flags, counts: Flags, frame_stack: int) -> tuple[Rows, int]:
    """Where the newest frame of each step that counts goes, environment by environment: `[K]`, and M.

    Args:
        begins: `[T, N]`: whether the stack of a step shares no frame with that of the step before it.
        counts: `[T, N]`: False for steps that are left out; what follows one must begin.
        frame_stack: S.
    """
    num_new = np.where(begins, frame_stack, 1).T[counts.T]
    ends = np.cumsum(num_new)
    return ends - 1, int(ends[-1]) if len(ends) else 0


def frames_once(stacks: NDArray[Any], begins: Flags, counts: Flags, frame_stack: int) -> NDArray[Any]:
    """The frames `[M, H, W, C]` of stacks `[T, N, H, W, S C]`, in the places that `rows_of_frames` says.

    Raises EnvError if a stack is not that of the step before with one more frame.
    """
    rows, num_frames = rows_of_frames(begins, counts, frame_stack)
    kept = stacks.swapaxes(0, 1)[counts.T]
    if frame_stack == 1:
        return kept
    size, fresh = stacks.shape[-1] // frame_stack, begins.T[counts.T]
    _check_moves_on(kept, fresh, size)
    frames = np.empty((num_frames, *stacks.shape[2:-1], size), stacks.dtype)
    frames[rows] = kept[..., -size:]
    for age in range(1, frame_stack):
        frames[rows[fresh] - age] = kept[fresh][..., -(age + 1) * size : -age * size]
    return frames


def stack_frames(frames: NDArray[np.uint8], rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return uint8 [N, H, W, S C]: the frames [H, W, C] of each row of `rows` [N, S], behind one another by channel.

    `frames` [F, H, W, C] must be contiguous. IndexError: a row is outside of it.
    """
    (num, stack), (_, height, width, channels) = rows.shape, frames.shape
    out = np.empty((num, height, width, stack * channels), np.uint8)
    _core.stack_frames(frames, np.ascontiguousarray(rows, np.int64), out)
    return out


def stacked(frames: NDArray[np.uint8], rows: Rows, frame_stack: int) -> NDArray[np.uint8]:
    """The stacks `[B, H, W, S C]` whose newest frames are at `rows` `[B]` of a ring of frames `[M, H, W, C]`."""
    return stack_frames(frames, (rows[:, None] + np.arange(1 - frame_stack, 1)) % len(frames))


def _check_moves_on(stacks: NDArray[Any], fresh: Flags, size: int) -> None:
    """Look at one of the steps."""
    at = np.flatnonzero(~fresh)[-1:]
    if len(at) and not np.array_equal(stacks[at[0], ..., :-size], stacks[at[0] - 1, ..., size:]):
        raise EnvError(
            "the environment's metadata say by frame_stack that pictures are stacks, but a step's older frames are not "
            "the newer ones of the step before it: leave frame_stack out"
        )
