"""Moist air: units of CO2 and of humidity. Arrays of any shape, float64."""

from __future__ import annotations

import numpy as np

from envs.farm.growth.integrator import Array

GAS_J_PER_K_MOL = 8.314
CO2_KG_PER_MOL = 44.01e-3
PRESSURE_PA = 101325.0
KELVIN_C = 273.15
"""0 C in kelvin."""

PPM_PER_KG_K = 1e6 * GAS_J_PER_K_MOL / (CO2_KG_PER_MOL * PRESSURE_PA)
"""ppm of CO2 per kg m-3 and K, by the law of ideal gases."""


def co2_ppm(co2_kg_per_m3: Array, temperature_c: Array) -> Array:
    """Return the volume share of CO2 in ppm."""
    return PPM_PER_KG_K * co2_kg_per_m3 * (temperature_c + KELVIN_C)


def co2_kg_per_m3(co2_ppm: Array, temperature_c: Array) -> Array:
    """Return the density of CO2: the inverse of `co2_ppm`."""
    return co2_ppm / (PPM_PER_KG_K * (temperature_c + KELVIN_C))


def saturation_kg_per_m3(temperature_c: Array) -> Array:
    """Return the density of saturated water vapour (Van Henten 2003, the saturation of its relative humidity)."""
    # 1e3: the gas constant of the paper is per kmol; its 10998 J m-3 hold the molar mass of water.
    pressure = 10998.0 * np.exp(17.4 * temperature_c / (temperature_c + 239.0))
    return np.asarray(pressure / (1e3 * GAS_J_PER_K_MOL * (temperature_c + KELVIN_C)))
