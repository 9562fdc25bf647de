"""A greenhouse is run for profit by PPO, in weather of a generator that training did not have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from farm_learning import low_of_mean, played, train

from envs.farm.climate.controllers import Outcome, Rule, SetPoints, play
from envs.farm.climate.lettuce_climate import LettuceClimateVector
from envs.farm.climate.predictive_control import PredictiveControl
from envs.farm.trained import seeds_of_evaluation

NUM_EPISODES = 14


def in_test_weather(controller: Rule | SetPoints, num_episodes: int = NUM_EPISODES) -> Outcome:
    return play(LettuceClimateVector(num_episodes, weather="test"), controller, seeds_of_evaluation(num_episodes))


def planned() -> np.ndarray:
    """The reward of predictive control, one greenhouse after the other."""
    return np.concatenate(
        [
            play(LettuceClimateVector(1, weather="test"), PredictiveControl(replan_h=2), [seed]).reward
            for seed in seeds_of_evaluation(NUM_EPISODES)
        ]
    )


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(900)
def test_lettuce_climate_within_five_minutes_a_policy_earns_more_than_the_rule(tmp_path: Path) -> None:
    run = train("lettuce_climate", tmp_path, "training.max_updates=20", minutes=5)
    learned = played(run, 20, weather="test")
    assert low_of_mean(learned.returns - in_test_weather(Rule(), 20).reward) > 0


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(5400)
def test_lettuce_climate_half_of_the_way_from_set_points_to_predictive_control(tmp_path: Path) -> None:
    run = train("lettuce_climate", tmp_path, minutes=20)
    learned, set_points = played(run, NUM_EPISODES, weather="test"), in_test_weather(SetPoints())
    middle = (set_points.reward + planned()) / 2
    assert low_of_mean(learned.returns - middle) > 0
    violated, allowed = (np.mean(each["temperature_c_h"]) for each in (learned.measures, set_points.measures))
    print(f"{violated:.0f} C h out of limits; set-points {allowed:.0f}")
