"""What surrounds a learner and a collector wherever they live: in this process, or in a Ray actor."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rlplat.errors import CheckpointError
from rlplat.interfaces import Arrays, Collected, Collector, Demand, Learner, Metrics, Progress, Summary
from rlplat.runs.arrays import load_arrays, save_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE

LEARNER_FOLDER = "learner"
COLLECTORS_FOLDER = "collectors"
TIMING = "timing/"
"""Beginning of metrics that depend on the clock alone."""
GENERATIONS_FILE = "generations.json"


@dataclass(frozen=True)
class Report:
    """What the learner did in one turn, and what it wants next."""

    progress: Progress
    demand: Demand
    num_updates: int
    metrics: Metrics
    """Means over the updates of this turn; empty if there were none."""
    seconds: float
    """Wall-clock duration of the turn."""
    num_stale: int = 0
    """Batches of this turn that were dropped, as they were older than the learner's `min_version`."""
    stages: Metrics = field(default_factory=dict)
    """What `seconds` went to, in seconds by stage: `ingest`, `learn`, `publish`, and what the learner tells apart."""


class LearnerHost:
    """A learner and the newest version of its weights."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._weights: Arrays = {}

    @property
    def version(self) -> int:
        return self._learner.progress().version

    @property
    def weights(self) -> Arrays:
        """The newest published weights."""
        return self._weights

    def start(self, checkpoint: Path | None, initial_weights: Arrays | None) -> Report:
        """Begin from a checkpoint's folder, from the weights of another run, or from nothing."""
        if checkpoint is not None:
            self._learner.load(checkpoint / LEARNER_FOLDER)
            self._weights = load_arrays(checkpoint / WEIGHTS_FILE)
        else:
            if initial_weights is not None:
                self._learner.initialise(initial_weights)
            self._weights = self._learner.publish()
        return self._report(0, {}, 0.0)

    def turn(self, batches: Sequence[tuple[Arrays, Summary]], max_updates: int) -> Report:
        """Take in new data, make at most `max_updates` of the updates that are owed, publish if due.

        Data older than the learner's `min_version` is dropped. ValueError if it has not even published that one.
        """
        start = time.perf_counter()
        min_version = self._learner.demand().min_version
        if min_version > self.version:
            raise ValueError(f"the learner wants data of version {min_version}, but has published {self.version} only")
        fresh = [batch for batch in batches if batch[1].weights_version >= min_version]
        for arrays, summary in fresh:
            self._learner.ingest(arrays, summary)
        ingested = time.perf_counter()
        before = self._learner.progress().updates
        metrics = self._learner.update(max_updates)
        num_updates = self._learner.progress().updates - before
        updated = time.perf_counter()
        if self._learner.publish_due():
            self._weights = self._learner.publish()
        end = time.perf_counter()
        told = {name: value * num_updates for name, value in metrics.items() if name.startswith(TIMING)}
        stages = {name.removeprefix(TIMING): seconds for name, seconds in told.items()}
        stages |= {
            "ingest": ingested - start,
            "learn": max(0.0, updated - ingested - sum(stages.values())),
            "publish": end - updated,
        }
        metrics = {name: value for name, value in metrics.items() if name not in told}
        report = self._report(num_updates, metrics, end - start, len(batches) - len(fresh))
        return replace(report, stages=stages)

    def save(self, folder: Path) -> None:
        """Write the learner and its weights; publishes, so that those who go on from here play with what is saved."""
        self._weights = self._learner.publish()
        save_arrays(folder / WEIGHTS_FILE, self._weights)
        (folder / LEARNER_FOLDER).mkdir()
        self._learner.save(folder / LEARNER_FOLDER)

    def _report(self, num_updates: int, metrics: Metrics, seconds: float, num_stale: int = 0) -> Report:
        return Report(self._learner.progress(), self._learner.demand(), num_updates, metrics, seconds, num_stale)


class CollectorHost:
    """Collector number `index`, which takes new weights when there are any."""

    def __init__(self, collector: Collector, index: int = 0) -> None:
        self._collector, self._index = collector, index
        self._ended: float | None = None
        self.version = 0

    def collect(self, demand: Demand, version: int, weights: Arrays | None, *, fetch_s: float = 0.0) -> Collected:
        """Collect with weights of `version`; `weights` may be None if this collector has them already.

        `fetch_s`: seconds that it took just before this call to learn of the weights and to bring them here.
        """
        start = time.perf_counter()
        if weights is not None and version != self.version:
            self._collector.set_weights(version, weights)
            self.version = version
        transport_s = fetch_s + time.perf_counter() - start
        wait_s = 0.0 if self._ended is None else max(0.0, start - fetch_s - self._ended)
        collected = self._collector.collect(demand)
        self._ended = time.perf_counter()
        summary = collected.summary
        stages = dict(summary.stages or {"collect": summary.seconds}) | {"transport": transport_s, "wait": wait_s}
        return replace(collected, summary=replace(summary, stages=stages, collector=self._index))

    def get_state(self) -> Arrays:
        return self._collector.get_state()

    def set_state(self, state: Arrays) -> None:
        self._collector.set_state(state)


@dataclass(frozen=True)
class CollectorState:
    """Where a collector is, as a checkpoint keeps it."""

    generation: int
    """How many collectors were lost at its index before it."""
    arrays: Arrays | None
    """What `Collector.get_state` said; None: it has brought nothing yet and begins its generation afresh."""


def save_collectors(folder: Path, states: Sequence[CollectorState]) -> None:
    """Write the state of every collector below a checkpoint's folder."""
    (folder / COLLECTORS_FOLDER).mkdir()
    generations = [state.generation for state in states]
    (folder / COLLECTORS_FOLDER / GENERATIONS_FILE).write_text(json.dumps(generations))
    for index, state in enumerate(states):
        if state.arrays is not None:
            save_arrays(_state_path(folder, index), state.arrays)


def load_collectors(folder: Path, num_collectors: int) -> list[CollectorState]:
    """The states that `save_collectors` wrote, if for as many collectors.

    Otherwise all begin afresh, in a generation that none has been of: no data is made a second time.
    """
    written = folder / COLLECTORS_FOLDER / GENERATIONS_FILE
    num_states = len(list((folder / COLLECTORS_FOLDER).glob("*.safetensors")))
    if not written.exists() and num_states == 0:
        raise CheckpointError(f"{folder}: holds no state of collectors; take an older checkpoint")
    # Runs of rlplat before generations were kept had lost none, as far as anyone can say.
    generations: list[int] = json.loads(written.read_text()) if written.exists() else [0] * num_states
    if len(generations) != num_collectors:
        return [CollectorState(max(generations, default=0) + 1, None)] * num_collectors
    paths = [_state_path(folder, index) for index in range(num_collectors)]
    arrays = [load_arrays(path) if path.exists() else None for path in paths]
    return [CollectorState(*pair) for pair in zip(generations, arrays, strict=True)]


def _state_path(folder: Path, index: int) -> Path:
    return folder / COLLECTORS_FOLDER / f"{index:05d}.safetensors"
