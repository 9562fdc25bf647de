"""What is told of the episodes of training: returns, lengths, successes."""

from __future__ import annotations

import numpy as np

from rlplat.environments.task_vector import Step
from rlplat.interfaces import Arrays, Metrics

RECORDS_PER_CALL = 4


class EpisodeCounts:
    """Follows the episodes of N environments, and counts those that end for the `Summary` of a call."""

    def __init__(self, num_envs: int) -> None:
        self.returns, self.lengths = np.zeros(num_envs), np.zeros(num_envs, np.int64)
        """Of the episodes under way."""
        self.begin_call()

    def begin_call(self) -> None:
        """Count from nothing: `counters` and `records` are of one call."""
        self.counters: Metrics = dict.fromkeys(("steps", "episodes", "return", "length", "success", "judged"), 0.0)
        self._records: list[str] = []

    @property
    def records(self) -> list[str]:
        """The newest episodes of this call in readable form."""
        return self._records[-RECORDS_PER_CALL:]

    def add(self, step: Step) -> None:
        """Add a step, and the episodes that it ended."""
        self.returns += step.rewards
        self.lengths += step.counts
        self.counters["steps"] += float(step.counts.sum())
        ended = np.flatnonzero(step.ended)
        if not len(ended):
            return
        self.counters["episodes"] += len(ended)
        self.counters["return"] += float(self.returns[ended].sum())
        self.counters["length"] += float(self.lengths[ended].sum())
        judged = ended[~np.isnan(step.success[ended])]
        self.counters["success"] += float(step.success[judged].sum())
        self.counters["judged"] += len(judged)
        for env in ended:
            self._records.append(f"return {self.returns[env]:.6g} in {self.lengths[env]} steps")
        self.returns[ended], self.lengths[ended] = 0.0, 0

    def state(self) -> Arrays:
        """Where the episodes under way are."""
        return {"returns": self.returns, "lengths": self.lengths}

    def restore(self, state: Arrays) -> None:
        """Go on from there."""
        self.returns, self.lengths = state["returns"].copy(), state["lengths"].copy()
