"""Controllers of LettuceClimate that a policy is measured against: nothing, a simple rule, set-points and their search.

None of these sees more than the observations. The one that does is in `predictive_control.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.farm.climate.lettuce_climate import LettuceClimateVector
from envs.farm.growth.air import co2_kg_per_m3
from envs.farm.growth.integrator import Array

Actions = NDArray[np.float32]


class Controller(Protocol):
    """Chooses actions `[N, 3]` for the greenhouses of a vector."""

    privileged: bool
    """True: it reads the simulator's state or the weather to come."""

    def act(self, env: LettuceClimateVector, observations: NDArray[np.float32]) -> Actions:
        """Return actions for observations `[N, ...]` of the group `policy`."""
        ...


class Nothing:
    """Leaves everything off."""

    privileged = False

    def act(self, env: LettuceClimateVector, observations: NDArray[np.float32]) -> Actions:
        """Return zeros."""
        return np.zeros((env.num_envs, 3), np.float32)


class Rule:
    """Proportional control with fixed numbers: 15 C by heating, 20 C by vents, 1.2 g m-3 of CO2 by day."""

    privileged = False

    def act(self, env: LettuceClimateVector, observations: NDArray[np.float32]) -> Actions:
        """Return the rule's actions."""
        _, ppm, temperature_c, _, radiation = observations[:, :5].T.astype(np.float64)
        supply = np.where(radiation > 0, 4e-3 * (1.2e-3 - co2_kg_per_m3(ppm, temperature_c)), 0.0)
        return _fractions(env, supply, 1e-3 * (temperature_c - 20), 40 * (15 - temperature_c))


@dataclass(frozen=True)
class SetPoints:
    """What a grower sets, each a number or `[N]`; `climate_computer.py` holds it.

    The defaults are what `search_set_points` found on 20 training seeds with the prices of 1994.
    """

    heat_day_c: Array | float = 16.0
    heat_night_c: Array | float = 10.0
    vent_percent: Array | float = 95.0
    """Relative humidity from which on the vents open."""
    co2_ppm: Array | float = 1600.0
    """While the sun shines."""

    privileged = False

    def act(self, env: LettuceClimateVector, observations: NDArray[np.float32]) -> Actions:
        """Return the set-points of day or night, or the controls that hold them; `env.settings.action` says which.

        Vents also open above the upper limits of temperature.
        """
        sensed = observations[:, :8].T.astype(np.float64)
        limits = env.settings.limits
        day = sensed[4] >= limits.night_w_per_m2
        heating_c = np.where(day, self.heat_day_c, self.heat_night_c)
        ventilation_c = np.where(day, limits.day_c[1], limits.night_c[1])
        rows = np.broadcast_arrays(heating_c, ventilation_c, self.vent_percent, self.co2_ppm)
        if env.settings.action == "setpoints":
            return env.computer.actions(np.stack(rows), sensed[4])
        return _fractions(env, *env.computer.controls(np.stack(rows), sensed[:4], sensed[4:]))


GRID = SetPoints(
    heat_day_c=np.array([12.0, 14.0, 16.0, 18.0, 20.0]),
    heat_night_c=np.array([6.0, 8.0, 10.0, 12.0, 14.0]),
    vent_percent=np.array([80.0, 85.0, 90.0, 95.0, 100.0]),
    co2_ppm=np.array([400.0, 700.0, 1000.0, 1300.0, 1600.0]),
)
"""What `search_set_points` tries: all combinations."""


@dataclass(frozen=True)
class Outcome:
    """What crops came to, each `[N]`."""

    reward: Array
    """EUR m-2."""
    measures: dict[str, Array]
    """Those of the environment."""


def play(env: LettuceClimateVector, controller: Controller, seeds: Sequence[int]) -> Outcome:
    """Run every greenhouse from planting to harvest, one seed each."""
    observations, infos = env.reset(seed=list(seeds))
    reward = np.zeros(env.num_envs)
    while env.clock < env.num_steps:
        observations, rewards, _, _, infos = env.step(controller.act(env, observations["policy"]))
        reward += rewards
    return Outcome(reward, infos["measures"])


def search_set_points(
    seeds: Sequence[int],
    settings: dict[str, Any],
    *,
    grid: SetPoints = GRID,
    chunk: int = 25,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[SetPoints, float]:
    """Try all combinations of the grid on the same seeds; return the best by mean reward, and that in EUR m-2.

    `chunk` combinations run side by side; `progress` is told how many of how many are done.
    """
    combinations = np.array(list(itertools.product(*astuple(grid))))
    means = np.empty(len(combinations))
    for begin in range(0, len(combinations), chunk):
        part = combinations[begin : begin + chunk]
        env = LettuceClimateVector(len(part) * len(seeds), **settings)
        outcome = play(env, SetPoints(*np.repeat(part, len(seeds), axis=0).T), [*seeds] * len(part))
        means[begin : begin + len(part)] = outcome.reward.reshape(len(part), len(seeds)).mean(axis=1)
        if progress:
            progress(begin + len(part), len(combinations))
    best = int(means.argmax())
    return SetPoints(*map(float, combinations[best])), float(means[best])


def _fractions(
    env: LettuceClimateVector, co2_kg_per_m2_s: Array, vents_m_per_s: Array, heat_w_per_m2: Array
) -> Actions:
    """Return actions for amounts, as much of them as the greenhouse can do."""
    amounts = np.stack([co2_kg_per_m2_s, vents_m_per_s, heat_w_per_m2], axis=1)
    return np.asarray(np.clip(amounts / env.model.max_controls, 0, 1), np.float32)
