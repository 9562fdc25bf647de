"""Watches the metrics of a run for what its agent calls sick, and says when that begins and when it is over."""

from __future__ import annotations

import logging
from collections import deque

from rlplat.interfaces import Agent, DiagnosingAgent, Metrics

RECENT_ROWS = 10
"""Rows of metrics that are judged by their means, once there are so many: a single one is chance."""

_log = logging.getLogger(__name__)


class HealthWatch:
    """Judges the newest rows; a run whose agent makes no diagnoses is never sick."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent if isinstance(agent, DiagnosingAgent) else None
        self._rows: deque[Metrics] = deque(maxlen=RECENT_ROWS)
        self.ailments: dict[str, str] = {}
        """What is wrong now: a sentence with figures and a hint, by name."""

    @property
    def text(self) -> str:
        """All that is wrong now, one line each."""
        return "  \n".join(f"{name}: {sentence}" for name, sentence in self.ailments.items()) or "nothing is wrong"

    def add(self, metrics: Metrics) -> bool:
        """Add a row; returns whether something new is wrong or something is no more. What is new goes to the log."""
        self._rows.append(metrics)
        if self._agent is None or len(self._rows) < RECENT_ROWS:
            return False
        before, self.ailments = self.ailments, dict(self._agent.ailments(_means(self._rows)))
        for name in self.ailments.keys() - before.keys():
            _log.warning("health: %s: %s", name, self.ailments[name])
        return before.keys() != self.ailments.keys()


def _means(rows: deque[Metrics]) -> Metrics:
    """Of each metric over the rows that have it."""
    names = {name for row in rows for name in row}
    found = {name: [row[name] for row in rows if name in row] for name in names}
    return {name: sum(values) / len(values) for name, values in found.items()}
