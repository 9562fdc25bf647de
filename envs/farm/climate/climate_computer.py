"""The climate computer of a greenhouse: from what a grower sets to heat, air and CO2, every 15 minutes.

Set-points are `[4, N]`: air is heated below the first and vented above the second, C, and vented above the third, % of
humidity; by day CO2 is supplied up to the fourth, ppm. Heating and CO2 reckon with what is about to be lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.farm.climate.settings import ClimateSettings
from envs.farm.climate.weather import STEP_S
from envs.farm.growth.air import co2_kg_per_m3
from envs.farm.growth.greenhouse import GreenhouseModel
from envs.farm.growth.integrator import Array

SET_POINTS = ("heating", "ventilation by temperature", "ventilation by humidity", "CO2")
_LOWEST = np.array([[-5.0], [-5.0], [70.0], [400.0]])
_HIGHEST = np.array([[7.0], [7.0], [100.0], [2000.0]])
"""Set-points for actions of 0 and 1: C above the lower limit of now, C above the upper one, %, ppm."""

_VENTS_OPEN_C, _VENTS_OPEN_PERCENT = 4.0, 20.0
"""Above the set-point, at which the vents are fully open."""
_HEATING_W_PER_M2_C = 20.0
"""For each degree that is lacking, besides what the greenhouse loses at the set-point."""


class ClimateComputer:
    """Holds set-points in greenhouses of one model."""

    def __init__(self, settings: ClimateSettings, model: GreenhouseModel) -> None:
        self._limits, self._greenhouse = settings.limits, model.greenhouse

    def set_points(self, actions: NDArray[np.floating], radiation_w_per_m2: NDArray[np.floating]) -> Array:
        """Return set-points `[4, N]` for actions `[N, 4]` from 0 to 1; radiation `[N]` tells day from night."""
        found = _LOWEST + (_HIGHEST - _LOWEST) * actions.T
        found[:2] += self._limits_c(radiation_w_per_m2)
        return np.asarray(found)

    def actions(self, set_points: Array, radiation_w_per_m2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the actions `[N, 4]` nearest to set-points `[4, N]`."""
        offsets = set_points.copy()
        offsets[:2] -= self._limits_c(radiation_w_per_m2)
        return np.asarray(np.clip((offsets - _LOWEST) / (_HIGHEST - _LOWEST), 0, 1).T, np.float32)

    def controls(self, set_points: Array, inside: NDArray[np.floating], outside: NDArray[np.floating]) -> Array:
        """Return controls `[3, N]` as in `greenhouse.py`, for what sensors show inside and outside, each `[4, N]`."""
        house = self._greenhouse
        heating_c, ventilation_c, ventilation_percent, wanted_ppm = set_points
        _, ppm, temperature_c, humidity = inside
        radiation, outside_ppm, outside_c, _ = outside
        opening = np.maximum(
            (temperature_c - ventilation_c) / _VENTS_OPEN_C, (humidity - ventilation_percent) / _VENTS_OPEN_PERCENT
        )
        vents = house.max_ventilation_m_per_s * np.clip(opening, 0, 1)
        loss_w_per_m2_c = house.wall_heat_loss_w_per_m2_c + house.ventilation_heat_j_per_m3_c * vents
        steady = loss_w_per_m2_c * (heating_c - outside_c) - house.solar_heat_fraction * radiation
        heating = steady + _HEATING_W_PER_M2_C * (heating_c - temperature_c)
        lacking = co2_kg_per_m3(wanted_ppm - ppm, temperature_c) * house.co2_capacity_m / STEP_S
        lost = co2_kg_per_m3(wanted_ppm - outside_ppm, temperature_c) * (vents + house.leakage_m_per_s)
        supply = np.where(radiation >= self._limits.night_w_per_m2, lacking + lost, 0.0)
        most = (house.max_co2_kg_per_m2_s, house.max_ventilation_m_per_s, house.max_heating_w_per_m2)
        return np.stack([np.clip(a, 0, b) for a, b in zip((supply, vents, heating), most, strict=True)])

    def _limits_c(self, radiation_w_per_m2: NDArray[np.floating]) -> Array:
        """Return the lower and the upper limit of temperature now, `[2, N]`."""
        limits = self._limits
        day = radiation_w_per_m2 >= limits.night_w_per_m2
        return np.where(day, np.array(limits.day_c)[:, None], np.array(limits.night_c)[:, None])
