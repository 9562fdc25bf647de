"""Weather outside: what the greenhouse is exposed to, and generators of it for training and for tests.

A weather is float64 `[T, 4, N]`: T steps of 15 minutes from a midnight on, N greenhouses, and the rows of
`greenhouse.py`: global radiation W m-2, CO2 kg m-3, temperature C, vapour kg m-3.

The two generators share season and temperatures and differ in their clouds: in training cloudiness wanders (AR(1)), in
tests it comes in spells of clear, broken and overcast sky. A policy that knows training's clouds meets others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from scipy.signal import lfilter  # type: ignore[import-untyped]

from envs.farm.growth.air import co2_kg_per_m3, saturation_kg_per_m3
from envs.farm.growth.integrator import Array

Split = Literal["training", "test"]

STEP_S = 900.0
STEPS_PER_DAY = 96
_STEPS_PER_H = STEPS_PER_DAY // 24

LATITUDE_DEG = 52.0
CO2_PPM = 420.0
FIRST_DAY, LAST_DAY = 15, 105
"""Days of the year between which a crop is planted, mid-January to mid-April: in summer no control of this greenhouse
keeps the limits of temperature, and unavoidable penalties would drown what a policy does."""

ANNUAL_MEAN_C, ANNUAL_SWING_C, DAILY_SWING_C, SPELL_C = 10.5, 7.5, 4.0, 2.5
"""Temperature at 52 degrees north near the sea, roughly: mean, half the swing of the year and of a clear day, and the
standard deviation of warm and cold spells."""
DEW_POINT_DEPRESSION_C = 3.0

CLOUD_MEMORY_H, SPELL_MEMORY_H = 8.0, 72.0
SKIES = (0.1, 0.6, 0.95)
"""Cloud cover of a clear, a broken and an overcast sky in tests."""


class WeatherSource(Protocol):
    """Where weather comes from."""

    def draw(self, generators: Sequence[np.random.Generator], num_steps: int) -> Array:
        """Return a weather `[num_steps, 4, N]`, one column for each of N generators, by nothing but these."""
        ...


class SyntheticWeather:
    """Weather of a season, drawn."""

    def __init__(self, split: Split) -> None:
        self._split = split

    def draw(self, generators: Sequence[np.random.Generator], num_steps: int) -> Array:
        """See `WeatherSource.draw`."""
        num_hours = -(-num_steps // _STEPS_PER_H) + 1
        first_day = np.array([generator.integers(FIRST_DAY, LAST_DAY) for generator in generators])
        climate = np.array([generator.uniform(-1, 1, 2) for generator in generators])
        noise = np.stack([generator.standard_normal((num_hours, 3)) for generator in generators], axis=-1)
        if self._split == "training":
            wander = _remember(noise[:, 0], CLOUD_MEMORY_H)
            cover = 1 / (1 + np.exp(-(0.5 + climate[:, 0] + 1.8 * wander)))
        else:
            cover = np.stack([_spells(generator, num_hours) for generator in generators], axis=-1)

        hour = np.arange(num_hours)[:, None]
        season_c = ANNUAL_MEAN_C - ANNUAL_SWING_C * np.cos(2 * np.pi * (first_day + hour / 24 - 20) / 365)
        base_c = season_c + climate[:, 1] + SPELL_C * _remember(noise[:, 1], SPELL_MEMORY_H)
        # A clear sky makes warm days and cold nights.
        temperature_c = base_c + DAILY_SWING_C * (1 - 0.6 * cover.mean(axis=0)) * np.sin(2 * np.pi * (hour - 9) / 24)
        dew_point_c = base_c - DEW_POINT_DEPRESSION_C + _remember(noise[:, 2], SPELL_MEMORY_H)
        vapour = saturation_kg_per_m3(np.minimum(dew_point_c, temperature_c))
        transmission = 1 - 0.75 * cover**3.4
        hourly = np.stack(
            [transmission, co2_kg_per_m3(np.array(CO2_PPM), temperature_c), temperature_c, vapour], axis=1
        )
        out = _between_hours(hourly)[:num_steps]
        for begin in range(0, num_steps, STEPS_PER_DAY):  # a day fits into the processor's cache
            day = out[begin : begin + STEPS_PER_DAY]
            solar_hour = np.arange(len(day))[:, None] / _STEPS_PER_H
            day[:, 0] *= clear_sky_w_per_m2(first_day + begin // STEPS_PER_DAY, solar_hour)
        return out


def clear_sky_w_per_m2(day_of_year: Array, solar_hour: Array) -> Array:
    """Return global radiation under a clear sky: 1098 s exp(-0.057 / s), s the sine of its height (Haurwitz 1945).

    With cover n the sky lets through 1 - 0.75 n^3.4 of it (Kasten & Czeplak 1980), which `SyntheticWeather` applies.
    """
    declination = -np.deg2rad(23.45) * np.cos(2 * np.pi * (day_of_year + 10) / 365)
    latitude = np.deg2rad(LATITUDE_DEG)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        np.pi * (solar_hour - 12) / 12
    )
    risen = np.maximum(sine, 1e-3)
    return np.where(sine > 1e-3, 1098 * risen * np.exp(-0.057 / risen), 0.0)


def _remember(noise: Array, memory_h: float) -> Array:
    """Turn hourly white noise `[H, N]` into a stationary AR(1) process: variance 1, correlation exp(-lag / memory)."""
    keep = float(np.exp(-1 / memory_h))
    driven = noise * np.sqrt(1 - keep**2)
    driven[0] = noise[0]
    return np.asarray(lfilter([1.0], [1.0, -keep], driven, axis=0))


def _between_hours(hourly: Array) -> Array:
    """Interpolate `[H, ...]` to the steps of 15 minutes between its hours, `[(H - 1) * 4, ...]`."""
    out = np.empty((len(hourly) - 1, _STEPS_PER_H, *hourly.shape[1:]))
    slope = np.diff(hourly, axis=0) / _STEPS_PER_H
    for quarter in range(_STEPS_PER_H):
        np.multiply(slope, quarter, out=out[:, quarter])
        out[:, quarter] += hourly[:-1]
    return out.reshape(-1, *hourly.shape[1:])


def _spells(generator: np.random.Generator, num_hours: int) -> Array:
    """Return hourly cover in spells of exponential length with the mean `CLOUD_MEMORY_H`."""
    num_spells = 8 + int(num_hours / CLOUD_MEMORY_H * 2)
    ends_h = np.cumsum(generator.exponential(CLOUD_MEMORY_H, num_spells))
    skies = generator.choice(SKIES, num_spells)
    return np.asarray(skies[np.minimum(np.searchsorted(ends_h, np.arange(num_hours)), num_spells - 1)])
