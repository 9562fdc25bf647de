"""Generalised advantage estimation (Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


def estimate_advantages(
    rewards: FloatArray,
    values: FloatArray,
    next_values: FloatArray,
    ended: NDArray[np.bool_],
    *,
    discount: float,
    trace: float,
) -> NDArray[np.float64]:
    """Return the advantage of each step `[T, N]`: equations 11 and 16 of the paper, from the last step back.

        delta_t = r_t + gamma V(s_t+1) - V(s_t)
        A_t = delta_t + gamma lambda A_t+1, where the episode goes on

    Args:
        rewards: r_t `[T, N]`.
        values: V(s_t) `[T, N]`.
        next_values: V(s_t+1) `[T, N]`: of what the step led to. 0 where the episode terminated; where it was only
            broken off, the value of its last observation, since what would have followed counts.
        ended: where the next row belongs to another episode `[T, N]`.
        discount: gamma.
        trace: lambda.
    """
    deltas = np.asarray(rewards + discount * next_values - values, np.float64)
    advantages = np.empty_like(deltas)
    following = np.zeros(deltas.shape[1])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + discount * trace * np.where(ended[t], 0.0, following)
        advantages[t] = following
    return advantages
