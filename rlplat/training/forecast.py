"""How long a run takes, from the rates of its parts: straight lines, good for a choice between minutes and hours.

Games get longer or shorter and caches fill as a network learns, so the truth may differ by half.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Forecast:
    """Data and updates over a run."""

    collect_s: float
    """Core-seconds per unit of data, made by one collector alone."""
    update_s: float
    """Seconds per update, on all threads of the learner."""
    free_amount: float
    """Data before the first update."""
    updates_per_amount: float
    """Updates that each unit of data pays for after that."""
    num_collectors: int
    num_cores: int
    learner_threads: int
    synchronous: bool
    """Collectors and learner take turns (inline), instead of working side by side."""

    def updates_at(self, amount: float) -> float:
        """Updates made once the collectors have brought `amount`."""
        return max(0.0, amount - self.free_amount) * self.updates_per_amount

    def amount_for(self, updates: float) -> float:
        """Data that so many updates, above 0, take."""
        return self.free_amount + updates / self.updates_per_amount

    def minutes_for(self, amount: float) -> float:
        """Minutes until the collectors have brought `amount` and its updates are made."""
        free = min(amount, self.free_amount)
        return (free * self._first_s + (amount - free) * self._later_s) / 60

    def amount_after(self, minutes: float) -> float:
        """Data after so many minutes."""
        first = min(60 * minutes, self.free_amount * self._first_s)
        return first / self._first_s + (60 * minutes - first) / self._later_s

    @property
    def _first_s(self) -> float:
        """Seconds per unit of data while the learner waits: no more collectors work at once than there are cores."""
        return self.collect_s / min(self.num_collectors, self.num_cores)

    @property
    def _later_s(self) -> float:
        """Seconds per unit of data once the learner works, too."""
        learn_s = self.updates_per_amount * self.update_s
        if self.synchronous:
            return self._first_s + learn_s
        # Neither side can be faster than alone, nor both together faster than the cores.
        shared_s = (self.collect_s + learn_s * min(self.learner_threads, self.num_cores)) / self.num_cores
        return max(self._first_s, learn_s, shared_s)
