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

from envs.farm.air import co2_kg_per_m3
from envs.farm.climate_accounts import PENALTIES, PROFIT
from envs.farm.integrator import Array
from envs.farm.lettuce_climate import LettuceClimateVector

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
    """What a grower sets, each a number or `[N]`; heating reckons with the weather outside.

    The defaults are what `search_set_points` found on 20 training seeds with the prices of 1994.
    """

    heat_day_c: Array | float = 16.0
    heat_night_c: Array | float = 10.0
    vent_percent: Array | float = 95.0
    """Relative humidity from which on the vents open, fully at 20 points more."""
    co2_ppm: Array | float = 1600.0
    """While the sun shines and the vents are shut."""

    privileged = False

    def act(self, env: LettuceClimateVector, observations: NDArray[np.float32]) -> Actions:
        """Return the actions that hold the set-points; vents also open above the upper limits of temperature, fully
        4 C above.
        """
        _, ppm, temperature_c, humidity, radiation, _, outside_c, _ = observations[:, :8].T.astype(np.float64)
        limits, house = env.settings.limits, env.model.greenhouse
        day = radiation >= limits.night_w_per_m2
        wanted_c = np.where(day, self.heat_day_c, self.heat_night_c)
        too_warm = temperature_c - np.where(day, limits.day_c[1], limits.night_c[1])
        vents = house.max_ventilation_m_per_s * np.maximum(too_warm / 4, (humidity - self.vent_percent) / 20)
        vents = np.clip(vents, 0, house.max_ventilation_m_per_s)
        loss = house.wall_heat_loss_w_per_m2_c + house.ventilation_heat_j_per_m3_c * vents
        steady = loss * (wanted_c - outside_c) - house.solar_heat_fraction * radiation
        heating = steady + 20 * (wanted_c - temperature_c)
        lacking = co2_kg_per_m3(self.co2_ppm - ppm, temperature_c) * house.co2_capacity_m / 900
        return _fractions(env, np.where(day & (vents <= 0), lacking, 0.0), vents, heating)


GRID = SetPoints(
    heat_day_c=np.array([12.0, 14.0, 16.0, 18.0, 20.0]),
    heat_night_c=np.array([6.0, 8.0, 10.0, 12.0, 14.0]),
    vent_percent=np.array([80.0, 85.0, 90.0, 95.0, 100.0]),
    co2_ppm=np.array([400.0, 700.0, 1000.0, 1300.0, 1600.0]),
)
"""What `search_set_points` tries: all combinations."""


@dataclass(frozen=True)
class Season:
    """Sums over a crop, each `[N]`."""

    reward: Array
    """EUR m-2."""
    profit: Array
    """The reward's money, EUR m-2: what growth earned less heat and CO2."""
    costs: dict[str, Array]
    """Violations in C h, % h and ppm h."""
    dry_weight_g_per_m2: Array
    """At harvest."""


def play(env: LettuceClimateVector, controller: Controller, seeds: Sequence[int]) -> Season:
    """Run every greenhouse from planting to harvest, one seed each."""
    observations, _ = env.reset(seed=list(seeds))
    reward, profit = np.zeros(env.num_envs), np.zeros(env.num_envs)
    costs = {name: np.zeros(env.num_envs) for name in PENALTIES}
    for _ in range(env.num_steps):
        observations, rewards, _, _, infos = env.step(controller.act(env, observations["policy"]))
        reward += rewards
        profit += sum(infos["reward_terms"][name] for name in PROFIT)
        for name in PENALTIES:
            costs[name] += infos["costs"][name]
    return Season(reward, profit, costs, 1e3 * env.state[0])


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
        season = play(env, SetPoints(*np.repeat(part, len(seeds), axis=0).T), [*seeds] * len(part))
        means[begin : begin + len(part)] = season.reward.reshape(len(part), len(seeds)).mean(axis=1)
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
