"""Trains by a configuration of a farm, and plays what came of it beside the farm's own policies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import ROOT, rlplat
from scipy import stats

from envs.farm.trained import episodes_of_run
from rlplat.evaluation.episodes import Episodes


def train(name: str, tmp_path: Path, *overrides: str, minutes: float) -> str:
    """Train for so many minutes at most, without evaluations; return the run's folder."""
    run = tmp_path / name
    settings = (*overrides, "evaluation.every=0", "evaluation.final_num_episodes=1", f"training.max_minutes={minutes}")
    options = [word for each in settings for word in ("-o", each)]
    config = ROOT / "configs" / f"{name}.yaml"
    result = rlplat("train", config, "--run-dir", run, *options, timeout=60 * minutes + 300)
    assert result.returncode == 0, result.stderr
    return str(run)


def played(run: str, num_episodes: int, **changes: object) -> Episodes:
    """The run's agent, on the seeds of an evaluation."""
    return episodes_of_run(run, num_episodes, changes)


def low_of_mean(differences: np.ndarray) -> float:
    """The lower end of the 95 % interval of the mean of differences on the same seeds (Student's t)."""
    half = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
    low = float(np.mean(differences) - half)
    print(f"mean {np.mean(differences):.4f}, lower end {low:.4f}")
    return low
