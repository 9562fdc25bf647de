"""Whether games of self-play draw the same noise, within a collector or across them: one seed for several.

Such games are much alike wherever their weights are, and every collector beyond the first adds nothing.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

NOISE = "root_noise"
"""The name, among a collector's arrays, of what `SelfPlay.take_noise` returns."""

MOST_KNOWN = 1 << 16
"""Games whose noise is remembered, the newest; those with equal noise are played at much the same time."""
RECENT_GAMES = 1000


class KnownNoise:
    """The noise at the first roots of the newest games of all collectors."""

    def __init__(self) -> None:
        self._known: dict[int, None] = {}  # in the order in which they came
        self._recent: deque[bool] = deque(maxlen=RECENT_GAMES)

    def add(self, words: NDArray[np.uint64]) -> None:
        """Take in one word for each game, uint64 `[G]`."""
        for word in words.tolist():
            self._recent.append(word in self._known)
            self._known[word] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    @property
    def share(self) -> float:
        """Of the recent games, those whose noise another had before; 0 if none had noise."""
        return sum(self._recent) / max(1, len(self._recent))
