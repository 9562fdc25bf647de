"""Speed of LettuceClimate: `rlplat bench farm`."""

from __future__ import annotations

import time

import numpy as np

from envs.farm.lettuce_climate import LettuceClimateVector
from envs.farm.weather import STEPS_PER_DAY
from rlplat.bench import Measured
from rlplat.reports import Result

NUM_ENVS = 256


def farm(num_days: int = 40) -> list[Result]:
    """Measure steps/s of a vector on one core by processor time: day by day, and a whole crop with its weather."""
    env = LettuceClimateVector(NUM_ENVS, num_days=num_days)
    actions = np.random.default_rng(0).random((NUM_ENVS, 3), dtype=np.float32)
    begin = time.process_time()
    env.reset(seed=0)
    reset_s = time.process_time() - begin
    days_s = []
    for _ in range(num_days):
        begin = time.process_time()
        for _ in range(STEPS_PER_DAY):
            env.step(actions)
        days_s.append(time.process_time() - begin)
    per_day = Measured(tuple(NUM_ENVS * STEPS_PER_DAY / day_s for day_s in days_s), sum(days_s))
    total_s = reset_s + sum(days_s)
    whole = Measured((NUM_ENVS * env.num_steps / total_s,), total_s)
    name = f"farm.lettuce_climate.{NUM_ENVS}"
    return [per_day.result(f"{name}.steps", "steps/s"), whole.result(f"{name}.steps_with_reset", "steps/s")]
