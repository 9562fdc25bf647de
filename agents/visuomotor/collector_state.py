"""What every collector of tasks keeps in a checkpoint: its generator and, where they can, its environments."""

from __future__ import annotations

import logging

import numpy as np

from agents.visuomotor.episode_counts import EpisodeCounts
from rlplat.data.generator_state import generators_from_array, generators_to_array
from rlplat.environments.task import FIRST_TRAINING_SEED
from rlplat.environments.task_vector import TaskVector
from rlplat.interfaces import Arrays

VECTOR, OBSERVATIONS = "vector/", "observations/"

_log = logging.getLogger(__name__)


def new_seeds(rng: np.random.Generator, num_envs: int) -> list[int]:
    """Draw seeds of episodes that no evaluation has, one for each environment."""
    return [int(seed) for seed in rng.integers(FIRST_TRAINING_SEED, 2 * FIRST_TRAINING_SEED, num_envs)]


def save_state(
    rng: np.random.Generator, vector: TaskVector, observations: Arrays | None, counts: EpisodeCounts, own: Arrays
) -> Arrays:
    """Return copies of all that is needed to go on from here; `own` is what belongs to episodes besides, by name."""
    state: Arrays = {"generator": generators_to_array([rng])}
    if observations is not None and vector.keeps_state:
        state |= {VECTOR + name: array for name, array in vector.snapshot().items()}
        state |= {OBSERVATIONS + name: array for name, array in observations.items()}
        state |= counts.state() | own
    return {name: array.copy() for name, array in state.items()}


def restore_state(
    state: Arrays, vector: TaskVector, counts: EpisodeCounts
) -> tuple[np.random.Generator, Arrays | None]:
    """Go on from a state: the generator, and what was observed last; None if the episodes begin anew."""
    (rng,) = generators_from_array(state["generator"])
    if "returns" not in state:
        _log.info("%s cannot go on within an episode: its episodes begin anew", vector.task.name)
        return rng, None
    vector.restore(_below(VECTOR, state))
    counts.restore(state)
    return rng, _below(OBSERVATIONS, state)


def _below(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): array.copy() for name, array in arrays.items() if name.startswith(prefix)}
