"""Agents of runs beside the farms' own policies: on the seeds of `rlplat evaluate`, which training never draws."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlplat.environments.task import Task
from rlplat.errors import RunError
from rlplat.evaluation.episodes import Episodes, episode_seed, play_episodes
from rlplat.evaluation.trained import load_trained

SEED = 0
"""Of the evaluation: the default of `rlplat evaluate`."""


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Let runs be asked for."""
    parser.add_argument("--runs", nargs="+", default=[], metavar="RUN", help="folders of runs to play as well")


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Let episodes other than those of `rlplat evaluate` be asked for."""
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the episodes (default {SEED})")


def seeds_of_evaluation(num_episodes: int, seed: int = SEED) -> list[int]:
    """Return the seeds of an evaluation's episodes."""
    return [episode_seed(seed, k) for k in range(num_episodes)]


def episodes_of_run(
    path: str, num_episodes: int, changes: Mapping[str, Any] | None = None, seed: int = SEED
) -> Episodes:
    """Play the newest checkpoint of a run on these seeds, with some of the environment's parameters changed.

    Raises RunError: the run is of a game, or cannot be read.
    """
    trained = load_trained(Path(path), "latest")
    if not isinstance(trained.env, Task):
        raise RunError(f"{path} plays a game; name runs of a farm")
    task = trained.env.changed(changes or {})
    policy = trained.make_policy(num_simulations=None, seed=seed)
    return play_episodes(task, policy, num_episodes=num_episodes, seed=seed)
