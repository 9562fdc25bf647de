"""The learner of guided policies: steps come in rounds, and after each the student learns from all steps so far."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from agents.visuomotor.guided_policy.collector import LABELS, kept_parts, teacher_probability
from agents.visuomotor.guided_policy.config import GuidedConfig
from agents.visuomotor.guided_policy.policy import ROUND, weights_alone
from agents.visuomotor.guided_policy.student import PRIVILEGED, Student, pose_entries
from agents.visuomotor.learner_files import explained, load_learner, save_learner
from agents.visuomotor.publishing import as_tensors
from agents.visuomotor.skipping import SkippedSteps
from rlplat.data.labelled_steps import LabelledSteps, bytes_of
from rlplat.environments.task import Task
from rlplat.errors import ConfigError
from rlplat.interfaces import Arrays, Demand, Metrics, Progress, Summary
from rlplat.runs.arrays import load_arrays, save_arrays

STEPS_FILE = "steps.safetensors"

_log = logging.getLogger(__name__)


class GuidedLearner:
    """Fulfils `rlplat.interfaces.Learner`. The unit of data is the step of one environment.

    Args:
        amount: steps that a call of a collector shall bring.
        total_updates: length of the schedule of the learning rate; None: it is constant.
        seed: of the run; initial weights and what is drawn follow from it.
    """

    def __init__(
        self, config: GuidedConfig, task: Task, *, amount: int, total_updates: int | None, seed: int, device: str
    ) -> None:
        for_weights, for_draws = np.random.SeedSequence(seed).spawn(2)
        self._config, self._spec, self._amount, self._device = config, task.spec, amount, device
        self._total_updates = total_updates
        self._draws = np.random.default_rng(for_draws)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(for_weights.generate_state(1)[0]))
            self.student = Student(task.spec, config).to(device)
        rate = config.training.learning_rate
        self._optimizer = torch.optim.Adam(self.student.parameters(), lr=rate, fused=True)
        self._skipped = SkippedSteps(task.name)
        self.steps = _room(config, task)
        self._counts = dict.fromkeys(("updates", "amount", "episodes", "version"), 0)
        self._num_rounds = self._owed = 0
        self._fresh = False
        """Whether steps of a round came in that no update has seen."""
        self._published_at = -1

    def demand(self) -> Demand:
        return Demand(0 if self._fresh or self._owed else self._amount, synchronous=True)

    def ingest(self, arrays: Arrays, summary: Summary) -> None:
        """Take in the steps of one collector."""
        self.steps.add(arrays)
        self.student.observations.add({name: arrays[name] for name in self.student.observations.parts})
        if self._config.pretraining is not None:
            self.student.poses.add(arrays[PRIVILEGED][:, pose_entries(self._spec, self._config)])
        self._fresh = True
        self._counts["amount"] += summary.amount
        self._counts["episodes"] += summary.episodes

    def update(self, max_updates: int) -> Metrics:
        """Make updates; after a round there are `updates_per_round` of them, and those of the pretraining before."""
        if self._fresh:
            self._fresh = False
            self._owed = self._config.training.updates_per_round + (
                self._num_pretraining if not self._num_rounds else 0
            )
            self._num_rounds += 1
        num_updates = min(max_updates, self._owed)
        if (left := self._num_pretraining - self._counts["updates"]) > 0:
            num_updates = min(num_updates, left)
        sums, draw_s = defaultdict[str, float](float), 0.0
        for _ in range(num_updates):
            for group in self._optimizer.param_groups:
                group["lr"] = self._learning_rate()
            begun = time.perf_counter()
            batch = as_tensors(self.steps.draw(self._config.training.batch_size, self._draws), self._device)
            draw_s += time.perf_counter() - begun
            losses = self._losses(batch)
            for name, loss in losses.items():
                sums[f"loss/{name}"] += loss.item()
            sums["optimizer/gradient_norm"] += self._descend(self._total(losses), batch)
            self._counts["updates"] += 1
            self._owed -= 1
        if not num_updates:
            return {}
        metrics = {name: value / num_updates for name, value in sums.items()}
        return metrics | {
            "mixture/beta": teacher_probability(self._config.mixture, self._num_rounds - 1),
            "dataset/steps": float(len(self.steps)),
            "optimizer/learning_rate": self._learning_rate(),
            "optimizer/skipped_steps": float(self._skipped.num_skipped),
            "timing/draw": draw_s / num_updates,
        }

    def progress(self) -> Progress:
        return Progress(**self._counts, owed=self._owed)

    def publish(self) -> Arrays:
        self._counts["version"] += 1
        self._published_at = self._counts["updates"]
        return self.student.published() | {ROUND: np.array(self._num_rounds)}

    def publish_due(self) -> bool:
        """Whether a round was learned from: the next one is collected with what came of it."""
        return not self._owed and self._counts["updates"] > self._published_at

    def save(self, folder: Path) -> None:
        """Write all into an existing folder, the steps included; a learner that loads it goes on bit by bit."""
        counters = {
            "counts": self._counts,
            "published_at": self._published_at,
            "num_rounds": self._num_rounds,
            "owed": self._owed,
            "skipped": self._skipped.state(),
            "draws": self._draws.bit_generator.state,
        }
        save_learner(folder, self.student, {"adam": self._optimizer}, counters)
        save_arrays(folder / STEPS_FILE, self.steps.snapshot())

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. CheckpointError if it is broken, or of another network or environment."""
        with explained(folder):
            counters = load_learner(folder, self.student, {"adam": self._optimizer}, self._device)
            self.steps.restore(load_arrays(folder / STEPS_FILE))
            self._counts = dict(counters["counts"])
            self._published_at = counters["published_at"]
            self._num_rounds, self._owed = counters["num_rounds"], counters["owed"]
            self._skipped.restore(counters["skipped"])
            self._draws.bit_generator.state = counters["draws"]

    def initialise(self, weights: Arrays) -> None:
        self.student.take(weights_alone(weights), "--init-from")

    @property
    def _num_pretraining(self) -> int:
        return 0 if self._config.pretraining is None else self._config.pretraining.updates

    def _losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """What an update minimises, by name."""
        if self._counts["updates"] < self._num_pretraining:
            return {"pose": self.student.pose_loss(batch)}
        return self.student.losses(batch, batch[LABELS])

    def _total(self, losses: dict[str, Tensor]) -> Tensor:
        if "action" not in losses or "pose" not in losses:
            return next(iter(losses.values()))
        assert self._config.pretraining is not None
        return losses["action"] + self._config.pretraining.weight * losses["pose"]

    def _descend(self, loss: Tensor, batch: dict[str, Tensor]) -> float:
        """One step down the gradient, unless it is not finite; returns the gradient's norm."""
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.student.parameters(), self._config.training.max_gradient_norm)
        if torch.isfinite(loss + norm):
            self._optimizer.step()
            self._skipped.went_well()
        else:
            self._skipped.skip(batch, loss=loss.item(), gradient_norm=norm.item())
        return norm.item()

    def _learning_rate(self) -> float:
        rate = self._config.training.learning_rate
        if self._config.training.schedule == "constant" or self._total_updates is None:
            return rate
        return rate * max(0.0, 1.0 - self._counts["updates"] / self._total_updates)


def _room(config: GuidedConfig, task: Task) -> LabelledSteps:
    """Room for the steps, which is said before the run begins. ConfigError if there is not so much memory."""
    parts = kept_parts(task.spec, config)
    room = {"capacity": config.max_steps, "frame_stack": task.spec.frame_stack}
    num_bytes, free = bytes_of(parts, **room), psutil.virtual_memory().available
    size = f"{math.ceil(num_bytes / 2**20):,} MiB"
    if num_bytes > free:
        raise ConfigError(
            f"agent.max_steps is {config.max_steps}: so many steps take {size}, and {free / 2**20:,.0f} MiB of memory "
            "are free; lower it, or env.parameters.pixels"
        )
    _log.info("agent.max_steps: %d steps take at most %s", config.max_steps, size)
    return LabelledSteps(parts, **room)
