"""Plants are moved apart as they grow, as PPO has learned to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from farm_learning import low_of_mean, played, train

from envs.farm.spacing_policies import play, shipped
from envs.farm.trained import seeds_of_evaluation

NUM_EPISODES = 20
AREA_DAYS, MOVES = "area_days_per_head", "moves_per_head"


def area_days(policy: str) -> np.ndarray:
    return play(shipped()[policy], seeds_of_evaluation(NUM_EPISODES)).area_days_per_head


@pytest.mark.learning
@pytest.mark.timeout(900)
def test_spacing_within_five_minutes_a_head_needs_less_floor_than_by_chance(tmp_path: Path) -> None:
    run = train("spacing_schedule", tmp_path, "training.max_updates=20", minutes=5)
    learned = played(run, NUM_EPISODES).measures[AREA_DAYS]
    assert low_of_mean(area_days("random_schedule") - learned) > 0.3


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_spacing_a_head_needs_no_more_floor_than_by_the_best_three_stages(tmp_path: Path) -> None:
    learned = played(train("spacing_schedule", tmp_path, minutes=15), NUM_EPISODES).measures
    best = area_days("three_stages")
    print(
        f"{learned[AREA_DAYS].mean():.3f} m2 d with {learned[MOVES].mean():.2f} moves; three stages {best.mean():.3f}"
    )
    assert low_of_mean(best - learned[AREA_DAYS]) > 0
