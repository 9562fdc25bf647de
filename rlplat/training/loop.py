"""The training loop, the only one: collect, learn, publish, log, checkpoint, evaluate, until a budget is spent.

What happens when is decided by the learner's counts of updates and data. The clock ends a run and paces the display.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from rlplat.config import RunConfig
from rlplat.errors import CheckpointError
from rlplat.evaluation.episodes import Returns
from rlplat.evaluation.evaluate import Evaluation
from rlplat.interfaces import Agent, Metrics
from rlplat.runs.checkpoint import Checkpoint, CheckpointStore
from rlplat.runs.console import Console
from rlplat.runs.folder import RunFolder
from rlplat.runs.metrics import MetricsWriter
from rlplat.runs.progress import Budget, ProgressView, RatingView
from rlplat.training.advice import Advisor
from rlplat.training.evaluating import rating_of, rival_of, save_strength, write_strength
from rlplat.training.health import HealthWatch
from rlplat.training.hosts import TIMING, Report
from rlplat.training.pool import Batch, Pool
from rlplat.training.stages import Stages

UPDATES_PER_TURN = 20
"""Most updates between two looks at what the collectors have brought: some seconds at the slowest."""

_log = logging.getLogger(__name__)


@dataclass
class Output:
    """Where a run writes and shows what happens."""

    folder: RunFolder
    checkpoints: CheckpointStore
    metrics: MetricsWriter
    console: Console


class Stop(Protocol):
    """A wish from outside that the run end."""

    @property
    def requested(self) -> bool: ...

    def interruptible(self) -> AbstractContextManager[None]:
        """A block with nothing to save, which may take minutes: a stop that comes up ends it at once."""
        ...


class TrainingLoop:
    """Drives one run from its start or a checkpoint to the end of its budget.

    Args:
        stop: looked at once a turn; a stop that is requested ends the run early, with a checkpoint.
    """

    def __init__(self, config: RunConfig, agent: Agent, pool: Pool, output: Output, stop: Stop) -> None:
        self._config, self._agent, self._pool, self._output = config, agent, pool, output
        self._stop = stop
        self._takes_turns = config.placement.mode == "inline"
        self._advisor = Advisor(agent.remedies(), takes_turns=self._takes_turns)
        self._health = HealthWatch(agent)
        self._evaluation_s = 0.0
        self._elapsed_before = 0.0
        self._interval = Interval(takes_turns=self._takes_turns)
        self._shown: Metrics = {}
        self._evaluation: tuple[int | None, tuple[Evaluation | Returns, ...]] = (None, ())
        self._rating: RatingView | None = None

    def run(self, checkpoint: Checkpoint | None, report: Report) -> Report:
        """Go on from `report`, what the pool said when it came up. Returns the learner's last report."""
        self._started = time.monotonic()
        if checkpoint is not None:
            self._elapsed_before = float(checkpoint.info["elapsed_s"])
            if checkpoint.info["evaluation_due"] and not self._was_evaluated(checkpoint.step):
                self._evaluate(checkpoint.step)
                self._take_evaluations(wait=False)
        logged = saved = tried = evaluated = recorded = report.progress.updates
        settings, evaluation = self._config.training, self._config.evaluation
        while not self._stop.requested and not self._spent(report):
            batches = self._pool.collect(report.demand)
            begun = time.monotonic()
            report = self._pool.advance(batches, self._max_updates(report))
            self._interval.add(batches, report, time.monotonic() - begun)
            updates = report.progress.updates
            checkpoint_due = _crossed(tried, updates, settings.checkpoint_every)
            evaluation_due = _crossed(evaluated, updates, evaluation.every)
            if _crossed(recorded, updates, settings.records_every):
                self._output.folder.write_records(updates, self._interval.records)
                recorded = updates
            if checkpoint_due or evaluation_due or _crossed(logged, updates, settings.log_every):
                self._log_metrics(report, saving=checkpoint_due)
                logged = updates
            if checkpoint_due or evaluation_due:
                tried = updates
                try:
                    self.save(report, evaluation_due=evaluation_due)
                    saved = updates
                except (CheckpointError, OSError) as error:
                    _log.error("no checkpoint was written at update %d, training goes on: %s", updates, error)
            if evaluation_due:
                self._evaluate(updates)
                evaluated = updates
            self._take_evaluations(wait=False)
            self._show(report)
        if report.progress.updates > saved or self._output.checkpoints.latest() is None:
            self._log_metrics(report, saving=True)
            self.save(report)
        with self._stop.interruptible():
            self._take_evaluations(wait=not self._stop.requested)
        self._show(report, force=True)
        return report

    def save(self, report: Report, *, evaluation_due: bool = False) -> None:
        """Write a checkpoint; CheckpointError if there is no room for it.

        `evaluation_due` is noted in it, so that a run that is killed before the evaluation makes up for it.
        """
        progress, begun = report.progress, time.monotonic()
        info = {
            "updates": progress.updates,
            "amount": progress.amount,
            "episodes": progress.episodes,
            "elapsed_s": self.elapsed_s,
            "evaluation_due": evaluation_due,
        }
        spared = self._pool.under_evaluation
        with self._output.checkpoints.write(progress.updates, info, spared) as folder:
            self._pool.save(folder)
        self._interval.stages.add_save(time.monotonic() - begun)

    @property
    def elapsed_s(self) -> float:
        """Seconds in training, those before a resume included."""
        return self._elapsed_before + time.monotonic() - self._started

    def _spent(self, report: Report) -> bool:
        return any(budget.done >= budget.total for budget in self._budgets(report))

    def _budgets(self, report: Report) -> list[Budget]:
        settings, progress = self._config.training, report.progress
        limits = [
            ("updates", progress.updates, settings.max_updates),
            (self._agent.unit, progress.amount, settings.max_amount),
            ("minutes", self.elapsed_s / 60, settings.max_minutes),
        ]
        return [Budget(unit, done, total) for unit, done, total in limits if total is not None]

    def _max_updates(self, report: Report) -> int:
        """At most a turn's worth, and never past a budget or a checkpoint, so that these fall on exact steps."""
        settings, updates = self._config.training, report.progress.updates
        ends = [updates + UPDATES_PER_TURN, _next(updates, settings.checkpoint_every)]
        if settings.max_updates is not None:
            ends.append(settings.max_updates)
        if self._config.evaluation.every:
            ends.append(_next(updates, self._config.evaluation.every))
        return min(ends) - updates

    def _log_metrics(self, report: Report, *, saving: bool = False) -> None:
        if not self._interval.num_batches and not self._interval.num_updates:
            return
        progress = report.progress
        evaluation = min(1.0, self._evaluation_s / (time.monotonic() - self._started))
        metrics = self._interval.metrics(self._agent, report) | {f"{TIMING}evaluation": evaluation}
        self._output.metrics.write(progress.updates, metrics)
        self._shown |= metrics
        if self._advisor.add(self._interval.stages, evaluation, renew=saving):
            self._output.metrics.text(progress.updates, "advice", self._advisor.sentence)
        if self._health.add(metrics):
            self._output.metrics.text(progress.updates, "health", self._health.text)
        self._output.folder.update(
            advice=self._advisor.sentence,
            updates=progress.updates,
            amount=progress.amount,
            episodes=progress.episodes,
            elapsed_s=self.elapsed_s,
        )
        self._interval = Interval(takes_turns=self._takes_turns)

    def _evaluate(self, step: int) -> None:
        """Begin an evaluation. One that is broken off is made up for by whoever resumes from that checkpoint."""
        if not self._stop.requested:
            with self._stop.interruptible():
                self._pool.evaluate(step, rival_of(self._config, self._output.checkpoints, step))

    def _take_evaluations(self, *, wait: bool) -> None:
        for step, strength in self._pool.evaluations(wait=wait):
            self._evaluation = (step, strength.rows)
            self._evaluation_s += strength.seconds
            save_strength(self._output.folder, step, strength)
            self._rating = rating_of(self._config, self._output.folder.path, step)
            best = self._output.checkpoints.best_score
            score = strength.mean_score
            if best is None or score > best:
                try:
                    self._output.checkpoints.mark_best(step, score)
                except CheckpointError as error:
                    _log.warning("update %d is the best so far and cannot be marked so: %s", step, error)
            # Last: by this line a resumed run knows that all of the evaluation was done.
            write_strength(self._output.metrics, step, strength, self._rating)

    def _was_evaluated(self, step: int) -> bool:
        path = self._output.folder.metrics_path
        rows = map(json.loads, path.read_text().splitlines() if path.exists() else ())
        return any(row["step"] == step and any(name.startswith("evaluation/") for name in row) for row in rows)

    def _show(self, report: Report, *, force: bool = False) -> None:
        progress = report.progress
        rates, measures = self._agent.view(self._shown)
        step, rows = self._evaluation
        view = ProgressView(
            budgets=tuple(self._budgets(report)),
            elapsed_s=self.elapsed_s,
            counts={"updates": progress.updates, "episodes": progress.episodes, self._agent.unit: progress.amount},
            rates=rates,
            losses={
                name.removeprefix("loss/"): value for name, value in self._shown.items() if name.startswith("loss/")
            },
            measures=measures,
            evaluations=rows,
            evaluated_at=step,
            rating=self._rating,
            advice=self._advisor.sentence,
        )
        self._output.console.show(view, force=force)


class Interval:
    """What came in since metrics were last written."""

    def __init__(self, *, takes_turns: bool) -> None:
        self._takes_turns = takes_turns
        self.num_batches = 0
        self.num_updates = 0
        self.records: list[str] = []
        """The newest episodes in readable form."""
        self.stages = Stages()
        self._start, self._start_cpu = time.monotonic(), time.process_time()
        self._counters: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()
        self._num_stale = 0

    def add(self, batches: list[Batch], report: Report, seconds: float) -> None:
        """Add what one turn brought, which the loop waited `seconds` for."""
        self.num_batches += len(batches)
        self.num_updates += report.num_updates
        self._num_stale += report.num_stale
        for batch in batches:
            self._counters.update(batch.summary.metrics)
            self.stages.add_call(batch.summary, report.progress.version)
        fresh = [record for batch in batches for record in batch.summary.records]
        self.records = fresh or self.records
        self._sums.update({name: value * report.num_updates for name, value in report.metrics.items()})
        self.stages.add_turn(report, seconds)

    def metrics(self, agent: Agent, report: Report) -> Metrics:
        """Means over the updates, what the agent makes of the counters, and the loop's own."""
        elapsed_s = max(1e-9, time.monotonic() - self._start)
        metrics: Metrics = {"progress/amount": report.progress.amount, "progress/episodes": report.progress.episodes}
        if self.num_updates:
            metrics |= {name: value / self.num_updates for name, value in self._sums.items()}
        if self.num_batches:
            metrics |= agent.summarise(dict(self._counters), elapsed_s)
        if self._num_stale:
            metrics["self_play/stale_batches"] = self._num_stale
        metrics["speed/updates_per_s"] = self.num_updates / elapsed_s
        self.stages.add_elapsed(elapsed_s, None if self._takes_turns else time.process_time() - self._start_cpu)
        return metrics | self.stages.metrics()


def _crossed(before: int, now: int, every: int) -> bool:
    return every > 0 and now // every > before // every


def _next(updates: int, every: int) -> int:
    return (updates // every + 1) * every
