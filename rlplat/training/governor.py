"""Keeps the learner and the collectors at the configured ratio of samples drawn to positions made."""

from __future__ import annotations

from collections.abc import Mapping


class ReplayRatioGovernor:
    """A token bucket: new positions pay for updates, each of which draws `batch_size` samples.

    The first `min_positions` fill the replay and pay for nothing, so no burst of updates follows them. Afterwards
    `num_updates * batch_size <= samples_per_position * (num_positions - min_positions)` always holds: the learner
    cannot outrun the collectors. `is_behind` tells that `max_owed` updates or more are owed: collectors then wait.

    Args:
        samples_per_position: how often a position is drawn on average, > 0.
        batch_size: samples per update, >= 1.
        min_positions: positions before the first update, >= 0.
        max_owed: owed updates at which the learner counts as behind, >= 1.
    """

    def __init__(self, samples_per_position: float, batch_size: int, min_positions: int, max_owed: int) -> None:
        if not (samples_per_position > 0 and batch_size >= 1 and min_positions >= 0 and max_owed >= 1):
            raise ValueError(
                f"samples_per_position {samples_per_position}, batch_size {batch_size}, min_positions {min_positions} "
                f"and max_owed {max_owed} must be > 0, >= 1, >= 0 and >= 1"
            )
        self._samples_per_position = samples_per_position
        self._batch_size = batch_size
        self._min_positions = min_positions
        self._max_owed = max_owed
        self.num_positions = 0
        """Positions brought so far."""
        self.num_updates = 0
        """Updates made so far."""

    def add_positions(self, amount: int) -> None:
        if amount < 0:
            raise ValueError(f"amount is {amount}, it must be >= 0")
        self.num_positions += amount

    def owed_updates(self) -> int:
        """Updates that are paid for and not yet made, >= 0."""
        paid = max(0, self.num_positions - self._min_positions)
        return max(0, int(paid * self._samples_per_position // self._batch_size) - self.num_updates)

    def spend(self, updates: int) -> None:
        """Count updates as made; ValueError if they are more than are owed."""
        if not 0 <= updates <= self.owed_updates():
            raise ValueError(f"cannot spend {updates} updates: {self.owed_updates()} are owed")
        self.num_updates += updates

    @property
    def is_behind(self) -> bool:
        return self.owed_updates() >= self._max_owed

    @property
    def ratio(self) -> float:
        """Samples drawn per position beyond the first `min_positions`; 0 before them."""
        paid = self.num_positions - self._min_positions
        return self.num_updates * self._batch_size / paid if paid > 0 else 0.0

    def state(self) -> dict[str, int]:
        """All that `restore` needs, as whole numbers."""
        return {"num_positions": self.num_positions, "num_updates": self.num_updates}

    def restore(self, state: Mapping[str, int]) -> None:
        self.num_positions = state["num_positions"]
        self.num_updates = state["num_updates"]
