"""Where the parts of a run live. The loop sees this interface only."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rlplat.config import PlacementConfig
from rlplat.errors import ConfigError, WorkerError
from rlplat.interfaces import Arrays, Demand, Summary
from rlplat.training.evaluating import Rival, Strength
from rlplat.training.hosts import Report


@dataclass(frozen=True)
class Batch:
    """Data of one call of a collector on its way to the learner."""

    summary: Summary
    arrays: Any
    """The arrays, or a reference to them: only the learner's side looks inside."""


class LearnerLostError(WorkerError):
    """The learner is gone, and with it what came after the newest checkpoint. `Pool.start` begins again from there."""


class Pool(Protocol):
    """Collectors, learner and evaluator. Whatever needs the learner may raise LearnerLostError."""

    def start(self, checkpoint: Path | None, initial_weights: Arrays | None) -> Report:
        """Bring everything up, from a checkpoint's folder if there is one.

        Called again after LearnerLostError: data that is still on its way is dropped, as it belongs to what was lost.
        """
        ...

    def collect(self, demand: Demand) -> list[Batch]:
        """Batches that are ready. With an amount of 0 nothing new is asked of the collectors.

        Those of a synchronous demand are one round, whole and in the order of the collectors.
        """
        ...

    def advance(self, batches: Sequence[Batch], max_updates: int) -> Report:
        """Hand batches to the learner and let it make at most `max_updates` updates."""
        ...

    def save(self, folder: Path) -> None:
        """Write learner, published weights and collectors into a checkpoint's folder."""
        ...

    def evaluate(self, step: int, rival: Rival | None) -> None:
        """Begin the evaluation of the weights that `save` has just written at `step`, against `rival`, too.

        Nothing happens if that evaluation is under way.
        """
        ...

    @property
    def under_evaluation(self) -> list[int]:
        """Steps of the evaluations that were begun and that `evaluations` has not returned: one may be of the best."""
        ...

    def evaluations(self, *, wait: bool) -> list[tuple[int, Strength]]:
        """Evaluations that have ended since the last call, with their steps; with `wait`, all that were begun."""
        ...

    def close(self) -> None:
        """End everything. May be called at any time, more than once."""
        ...


def check_placement(placement: PlacementConfig) -> None:
    """Raise ConfigError if Ray is asked for and not installed; it is looked for and not imported."""
    if placement.mode == "ray" and importlib.util.find_spec("ray") is None:
        raise ConfigError(
            "placement.mode is 'ray', and Ray is not installed: install it with pip install 'ray[default]', or run "
            "everything in one process, with --inline in training (anywhere: -o placement.mode=inline)"
        )
