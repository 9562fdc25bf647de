"""The learner of SAC: keeps steps, makes updates at a steady ratio to them, publishes the actor."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from agents.visuomotor.descent import left_of
from agents.visuomotor.learner_files import explained, load_learner, save_learner
from agents.visuomotor.sac.config import SacConfig
from agents.visuomotor.sac.trainer import SacTrainer
from rlplat.data.generator_state import generators_from_array, generators_to_array
from rlplat.data.transitions import OBSERVATIONS, TransitionReplay
from rlplat.environments.task import Task
from rlplat.interfaces import Arrays, Demand, Metrics, Progress, Summary
from rlplat.runs.arrays import load_arrays, save_arrays
from rlplat.training.governor import ReplayRatioGovernor

REPLAY_FILE = "replay.safetensors"


class SacLearner:
    """Fulfils `rlplat.interfaces.Learner`. The unit of data is the step of one environment.

    Args:
        amount: steps that a call of a collector shall bring.
        total_updates: length of the schedule; None: it is constant.
        seed: of the run; initial weights, noise and the order of draws follow from it.
        synchronous: collectors wait until all owed updates are made (inline), instead of working alongside.
    """

    def __init__(
        self,
        config: SacConfig,
        task: Task,
        *,
        amount: int,
        total_updates: int | None,
        seed: int,
        device: str,
        synchronous: bool,
    ) -> None:
        for_weights, for_draws = np.random.SeedSequence(seed).spawn(2)
        training, self._config, self._device = config.training, config, device
        self._amount, self._total_updates, self._synchronous = amount, total_updates, synchronous
        self.trainer = SacTrainer(task.spec, config, seed=int(for_weights.generate_state(1)[0]), device=device)
        self.replay = TransitionReplay(
            task.spec,
            num_envs=config.num_envs,
            capacity=config.replay.capacity,
            num_steps=config.num_steps,
            discount=config.discount,
        )
        self._governor = ReplayRatioGovernor(
            training.updates_per_step * training.batch_size,
            training.batch_size,
            config.replay.min_steps,
            training.max_owed_updates,
        )
        self._rng = np.random.default_rng(for_draws)
        self._counts = dict.fromkeys(("episodes", "version", "published_at"), 0)

    def demand(self) -> Demand:
        wait = self._owed() > 0 if self._synchronous else self._governor.is_behind
        return Demand(0 if wait else self._amount, synchronous=self._synchronous)

    def ingest(self, arrays: Arrays, summary: Summary) -> None:
        """Take in rows of one collector (see `TransitionReplay.add`)."""
        self.replay.add(arrays)
        if self._config.normalise_observations:
            self.trainer.model.actor.normaliser.add(
                {part: arrays[OBSERVATIONS + part] for part in self.trainer.model.actor.normaliser.parts}
            )
        self._governor.add_positions(summary.amount)
        self._counts["episodes"] += summary.episodes

    def update(self, max_updates: int) -> Metrics:
        """Make at most `max_updates` of the updates that are owed; the metrics are means over them (empty if none)."""
        num_updates, draw_s = min(max_updates, self._owed()), 0.0
        for _ in range(num_updates):
            start = time.perf_counter()
            batch = self.replay.draw(self._config.training.batch_size, self._rng)
            draw_s += time.perf_counter() - start
            left = left_of(self._config.training.schedule, self._governor.num_updates, self._total_updates)
            self._governor.spend(1)
            self.trainer.update(batch, left=left)
        if num_updates <= 0:
            return {}
        self.trainer.model.actor.acts_at_random.fill_(False)
        return self.trainer.take_metrics() | {
            "timing/draw": draw_s / num_updates,
            "optimizer/skipped_steps": float(self.trainer.skipped.num_skipped),
            "replay/rows": float(self.replay.num_rows),
            "replay/updates_per_step": self._governor.ratio / self._config.training.batch_size,
        }

    def progress(self) -> Progress:
        return Progress(
            updates=self._governor.num_updates,
            amount=self._governor.num_positions,
            episodes=self._counts["episodes"],
            version=self._counts["version"],
            owed=self._owed(),
        )

    def publish(self) -> Arrays:
        self._counts["version"] += 1
        self._counts["published_at"] = self._governor.num_updates
        return self.trainer.model.actor.published()

    def publish_due(self) -> bool:
        age = self._governor.num_updates - self._counts["published_at"]
        return self._counts["version"] == 0 or age >= self._config.training.publish_every

    def save(self, folder: Path) -> None:
        """Write all, the replay included, into an existing folder; a learner that loads it goes on bit by bit."""
        counters = {
            "counts": self._counts,
            "governor": self._governor.state(),
            "skipped": self.trainer.skipped.state(),
            "num_updates": self.trainer.num_updates,
        }
        save_learner(folder, self.trainer.model, self.trainer.optimizers, counters)
        generators = {"draws": generators_to_array([self._rng]), "noise": self.trainer.generator.get_state().numpy()}
        save_arrays(folder / REPLAY_FILE, self.replay.state() | generators)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. CheckpointError if it is broken, or of another network or environment."""
        with explained(folder):
            counters = load_learner(folder, self.trainer.model, self.trainer.optimizers, self._device)
            arrays = load_arrays(folder / REPLAY_FILE)
            self.replay.restore(arrays)
            (self._rng,) = generators_from_array(arrays["draws"])
            self.trainer.generator.set_state(torch.from_numpy(arrays["noise"]))
            self._counts = dict(counters["counts"])
            self._governor.restore(counters["governor"])
            self.trainer.skipped.restore(counters["skipped"])
            self.trainer.num_updates = counters["num_updates"]

    def initialise(self, weights: Arrays) -> None:
        """Begin with the actor of another run; the critics begin afresh."""
        self.trainer.model.actor.take(weights, "--init-from")

    def _owed(self) -> int:
        return self._governor.owed_updates() if self.replay.num_drawable else 0
