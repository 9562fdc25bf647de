"""How long a process may say nothing before it counts as hung. Knows nothing of Ray, only of time.

A process that is stopped, deadlocked or swapped out is not dead: it just does not answer. What is too long depends on
how long its calls take on this machine, so that is measured.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

PATIENCE = 10.0
"""Silences may last so many times the longest call so far. The longest games, a new library to compile and cores that
others take make single calls a few times longer than usual."""
LEAST_S = 30.0
"""Silences below this are borne whatever was measured: a busy machine makes anyone wait for so long."""
MOST_START_S = 900.0
"""Longest that a new process may take until it is ready, once it has its room."""
MOST_COUNTED_S = 5.0
"""Most that counts as silence between two looks: where the one who listens was away (a long turn of the learner,
Ctrl-Z, a closed laptop), it heard nobody, and that is not their fault."""


class Patience:
    """How long calls of one kind may take, from how long they took.

    Args:
        most_s: upper limit in seconds.
        first_s: upper limit of the first call, before anything was measured.
        least_s: what is borne whatever was measured.
    """

    def __init__(self, most_s: float, *, first_s: float = math.inf, least_s: float = LEAST_S) -> None:
        self._most_s, self._first_s, self._least_s = most_s, first_s, least_s
        self._longest_s: float | None = None

    def measured(self, seconds: float) -> None:
        """A call ended after `seconds`."""
        self._longest_s = max(seconds, self._longest_s or 0.0)

    @property
    def limit_s(self) -> float:
        """Longest silence that is borne now, in seconds."""
        if self._longest_s is None:
            return min(self._most_s, self._first_s)
        return min(self._most_s, max(self._least_s, PATIENCE * self._longest_s))


class Silence:
    """One process that owes an answer. Whoever waits for it looks at `is_too_long` every now and then.

    Args:
        patience: of calls of this kind; processes with the same work share it.
        clock: monotonic seconds.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self.begin()

    def begin(self) -> None:
        """A call begins now, or counting starts over."""
        self._looked = self._clock()
        self._counted_s = 0.0

    def end(self) -> None:
        """An answer came; the next one is awaited from now on."""
        self._look()
        self._patience.measured(self._counted_s)
        self.begin()

    @property
    def is_too_long(self) -> bool:
        self._look()
        return self._counted_s > self._patience.limit_s

    @property
    def seconds(self) -> float:
        """How long it has lasted, as far as it counts."""
        return self._counted_s

    def _look(self) -> None:
        now = self._clock()
        self._counted_s += min(now - self._looked, MOST_COUNTED_S)
        self._looked = now
