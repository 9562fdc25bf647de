"""What a step in the greenhouse earns, costs and violates. Arrays `[N]`; states and controls as in `greenhouse.py`."""

from __future__ import annotations

import numpy as np

from envs.farm.climate.settings import ClimateSettings
from envs.farm.climate.weather import STEP_S
from envs.farm.growth.integrator import Array

PROFIT = ("growth", "heat", "co2")
"""The reward terms that are money."""
PENALTIES = ("temperature", "humidity", "co2_excess")
"""The reward terms that are not; costs have the same names."""

_STEP_H = STEP_S / 3600


class Accounts:
    """The settings' prices, limits and penalties, applied to steps of 15 minutes."""

    def __init__(self, settings: ClimateSettings) -> None:
        prices, limits, fines = settings.price_set(), settings.limits, settings.penalties
        # Arrays of no dimension: numpy takes longer to take a Python number.
        self._dry_weight = np.array(prices.dry_weight_eur_per_kg)
        self._heat = np.array(-STEP_S * prices.heat_eur_per_j)
        self._co2 = np.array(-STEP_S * prices.co2_eur_per_kg)
        self._night_w_per_m2 = np.array(limits.night_w_per_m2)
        self._lowest = np.array([limits.night_c[0], limits.day_c[0]])
        self._highest = np.array([limits.night_c[1], limits.day_c[1]])
        self._max_humidity, self._max_co2_ppm = np.array(limits.max_humidity_percent), np.array(limits.max_co2_ppm)
        self._zero, self._step_h = np.array(0.0), np.array(_STEP_H)
        self._fines = {
            "temperature": np.array(-fines.temperature_eur_per_c_h),
            "humidity": np.array(-fines.humidity_eur_per_percent_h),
            "co2_excess": np.array(-fines.co2_eur_per_ppm_h),
        }

    def money(self, growth_kg_per_m2: Array, controls: Array) -> dict[str, Array]:
        """Return the reward terms that are money, in EUR m-2, of a step's growth and its controls `[3, N]`."""
        return {
            "growth": growth_kg_per_m2 * self._dry_weight,
            "heat": controls[2] * self._heat,
            "co2": controls[0] * self._co2,
        }

    def violations(self, outputs: Array, radiation_w_per_m2: Array) -> dict[str, Array]:
        """Return the costs of a step at whose end sensors show `outputs` `[4, N]`: C h, % h and ppm h out of limits."""
        _, ppm, temperature_c, humidity = outputs
        day = (radiation_w_per_m2 >= self._night_w_per_m2).view(np.int8)
        within = np.maximum(temperature_c, self._lowest.take(day))
        np.minimum(within, self._highest.take(day), out=within)
        within -= temperature_c
        damp = np.maximum(humidity - self._max_humidity, self._zero)
        excess = np.maximum(ppm - self._max_co2_ppm, self._zero)
        for cost in (within, damp, excess):
            cost *= self._step_h
        return {"temperature": np.abs(within, out=within), "humidity": damp, "co2_excess": excess}

    def penalties(self, costs: dict[str, Array]) -> dict[str, Array]:
        """Return the reward terms of `violations`, in EUR m-2."""
        return {name: costs[name] * self._fines[name] for name in PENALTIES}


class Season:
    """Sums over a crop in `num_envs` greenhouses."""

    def __init__(self, num_envs: int) -> None:
        self.sums: Array = np.zeros((len(PROFIT) + len(PENALTIES), num_envs))
        """EUR m-2 of each part of the profit, then costs in their own units."""

    def add(self, terms: dict[str, Array], costs: dict[str, Array]) -> None:
        """Take in a step's reward terms and costs."""
        for row, values in zip(
            self.sums, (*(terms[name] for name in PROFIT), *(costs[name] for name in PENALTIES)), strict=True
        ):
            row += values

    def measures(self, dry_weight_kg_per_m2: Array) -> dict[str, Array]:
        """Return what evaluations report of the crop, units in the names."""
        temperature, humidity, co2_excess = self.sums[len(PROFIT) :]
        return {
            "profit_eur_per_m2": self.sums[: len(PROFIT)].sum(axis=0),
            "temperature_c_h": temperature.copy(),
            "humidity_percent_h": humidity.copy(),
            "co2_excess_ppm_h": co2_excess.copy(),
            "dry_weight_g_per_m2": 1e3 * dry_weight_kg_per_m2,
        }
