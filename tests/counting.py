"""An agent that learns nothing: its data tells when and with which weights it was made. For tests of the pools."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from rlplat.config import AgentConfig
from rlplat.interfaces import Arrays, Collected, Demand, Metrics, Progress, Summary


class CountingConfig(AgentConfig):
    """How long things take, and what the learner bears."""

    collect_s: float = 0.05
    turn_s: float = 0.3
    payload_kib: int = 0
    """Size of what one call brings."""
    max_lag: int | None = None
    """Versions by which data may be older than the newest weights; None: any."""


class CountingCollector:
    """Brings one unit of data a call, which says who made it, when, and with which weights."""

    def __init__(self, config: CountingConfig, index: int) -> None:
        self._config, self._index, self._version = config, index, 0

    def set_weights(self, version: int, weights: Arrays) -> None:
        assert weights["version"][0] == version
        self._version = version

    def collect(self, demand: Demand) -> Collected:
        started = time.monotonic()  # the same clock in all processes of this machine
        time.sleep(self._config.collect_s)
        metrics = {"index": float(self._index), "started": started}
        data = np.zeros(1 + 1024 * self._config.payload_kib, np.uint8)
        return Collected({"x": data}, Summary(1, 1, self._version, self._config.collect_s, metrics))

    def get_state(self) -> Arrays:
        return {}

    def set_state(self, state: Arrays) -> None:
        pass


class CountingLearner:
    """Makes one update a turn, slowly, and publishes after each."""

    def __init__(self, config: CountingConfig) -> None:
        self._config = config
        self._updates = self._amount = self._version = self._published_at = 0

    def demand(self) -> Demand:
        lag = self._config.max_lag
        return Demand(1, min_version=0 if lag is None else max(0, self._version - lag))

    def ingest(self, arrays: Arrays, summary: Summary) -> None:
        self._amount += summary.amount

    def update(self, max_updates: int) -> Metrics:
        time.sleep(self._config.turn_s)
        self._updates += 1
        return {"loss/total": 0.0}

    def progress(self) -> Progress:
        return Progress(self._updates, self._amount, self._amount, self._version, owed=0)

    def publish(self) -> Arrays:
        self._version += 1
        self._published_at = self._updates
        return {"version": np.array([self._version])}

    def publish_due(self) -> bool:
        return self._updates > self._published_at

    def save(self, folder: Path) -> None:
        pass

    def load(self, folder: Path) -> None:
        pass

    def initialise(self, weights: Arrays) -> None:
        pass


class Counting:
    """The agent."""

    Config = CountingConfig

    def __init__(self, config: Any, env: Any) -> None:
        self._config: CountingConfig = config.agent

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> CountingCollector:
        return CountingCollector(self._config, index)

    def make_learner(self, *, inline: bool) -> CountingLearner:
        return CountingLearner(self._config)
