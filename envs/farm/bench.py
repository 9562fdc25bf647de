"""Speed of the farms: `rlplat bench farm`."""

from __future__ import annotations

import time
from importlib.util import find_spec

import numpy as np

from envs.farm.climate.lettuce_climate import LettuceClimateVector
from envs.farm.climate.weather import STEPS_PER_DAY
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacingVector
from rlplat.bench import Measured
from rlplat.reports import Result

NUM_GREENHOUSES, NUM_BENCHES = 256, 64
FILL_D = 30
"""Days in which a bench fills with 200 plants, that is every slot."""


def farm() -> list[Result]:
    """Measure all farms on one core by processor time; those with robots if there is MuJoCo."""
    return [*climate(), *spacing(), *(seedlings() if find_spec("mujoco") else [])]


def climate(num_days: int = 40) -> list[Result]:
    """Measure steps/s of LettuceClimate: day by day, and a whole crop with its weather."""
    env = LettuceClimateVector(NUM_GREENHOUSES, num_days=num_days)
    actions = np.random.default_rng(0).random((NUM_GREENHOUSES, 3), dtype=np.float32)
    begin = time.process_time()
    env.reset(seed=0)
    reset_s = time.process_time() - begin
    days_s = []
    for _ in range(num_days):
        begin = time.process_time()
        for _ in range(STEPS_PER_DAY):
            env.step(actions)
        days_s.append(time.process_time() - begin)
    per_day = Measured(tuple(NUM_GREENHOUSES * STEPS_PER_DAY / day_s for day_s in days_s), sum(days_s))
    total_s = reset_s + sum(days_s)
    whole = Measured((NUM_GREENHOUSES * env.num_steps / total_s,), total_s)
    name = f"farm.lettuce_climate.{NUM_GREENHOUSES}"
    return [per_day.result(f"{name}.steps", "steps/s"), whole.result(f"{name}.steps_with_reset", "steps/s")]


def spacing(num_days: int = 30, fill_d: int = FILL_D) -> list[Result]:
    """Measure days/s of GreenhouseSpacing with schedules and tables: benches with every slot taken, day by day.

    At 100 plants m-2 of all ages the leaves lie up to 25 layers deep, so that light takes longest to share out.
    """
    env = GreenhouseSpacingVector(NUM_BENCHES, num_days=fill_d + num_days)
    env.reset(seed=0)
    actions = np.zeros((NUM_BENCHES, 6), np.float32)
    for _ in range(fill_d):
        env.step(actions)
    days_s, num_plants = [], []
    for _ in range(num_days):
        begin = time.process_time()
        env.step(actions)
        days_s.append(time.process_time() - begin)
        num_plants.append(env.bench.present.sum() / NUM_BENCHES)
    measured = Measured(tuple(NUM_BENCHES / day_s for day_s in days_s), sum(days_s))
    plants = round(float(np.mean(num_plants)), 1)
    return [measured.result(f"farm.greenhouse_spacing.{NUM_BENCHES}.days", "days/s", plants=plants)]


def seedlings(num_steps: int = 60, num_benches: int = 32) -> list[Result]:
    """Measure control steps/s of SeedlingTransplant with 4 plugs in the tray, an expert at work, and two pictures.

    What physics takes is measured on the same states, from which it is then put back.
    """
    from envs.farm.seedlings.env import SeedlingVector

    env = SeedlingVector(num_benches, level=3)
    env.reset(seed=0)
    everyone = np.arange(num_benches)
    whole_s, physics_s = [], []
    for _ in range(num_steps):
        actions = env.expert_actions()
        kept = env.physics.snapshot()
        env.task.actuate(actions.astype(np.float64))
        begin = time.process_time()
        env.physics.step(everyone, env.task.substeps)
        physics_s.append(time.process_time() - begin)
        env.physics.restore(kept)
        begin = time.process_time()
        env.step(actions)
        whole_s.append(time.process_time() - begin)
    total_s, share = sum(whole_s), sum(physics_s) / sum(whole_s)
    measured = Measured((num_benches * num_steps / total_s,), total_s)
    return [
        measured.result("farm.seedling.pixels_1core", "steps/s", plugs=4, pixels=64, cameras=2),
        Measured((share,), total_s).result("farm.seedling.physics_share", "of the time"),
    ]
