"""Weather of the user's own, from a CSV file.

    time,radiation_w_per_m2,temperature_c,relative_humidity_percent,co2_ppm
    2024-03-01T00:00,0,4.2,91,420

`time` is ISO 8601 in local solar time, evenly spaced, from a minute to an hour apart; `co2_ppm` may be missing. Values
are interpolated to the environment's 15 minutes; a crop begins at a midnight from which on the file is long enough.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from envs.farm.climate.weather import CO2_PPM, STEP_S, STEPS_PER_DAY
from envs.farm.growth.air import co2_kg_per_m3, saturation_kg_per_m3
from envs.farm.growth.integrator import Array
from rlplat.errors import ConfigError
from rlplat.problems import suggestion

_REQUIRED = ("radiation_w_per_m2", "temperature_c", "relative_humidity_percent")
_RANGES = {
    "radiation_w_per_m2": (0.0, 1500.0),
    "temperature_c": (-60.0, 60.0),
    "relative_humidity_percent": (0.0, 100.0),
    "co2_ppm": (200.0, 2000.0),
}


class WeatherFile:
    """A file of weather; each episode is a stretch of it that the episode's generator chooses."""

    def __init__(self, path: Path) -> None:
        """Read and check the whole file. Raises ConfigError that names the file and, where there is one, the line."""
        self._path = path
        times, columns = _read(path)
        seconds = _even_seconds(path, times)
        for name, values in columns.items():
            _check_units(path, name, values)
        midnight = times[0].replace(hour=0, minute=0, second=0, microsecond=0)
        grid_s = np.arange((midnight - times[0]).total_seconds() % 86400, seconds[-1] + 1, STEP_S)
        even = {name: np.interp(grid_s, seconds, values) for name, values in columns.items()}
        temperature_c = even["temperature_c"]
        ppm = even.get("co2_ppm", np.full(len(grid_s), CO2_PPM))
        vapour = even["relative_humidity_percent"] / 100 * saturation_kg_per_m3(temperature_c)
        self._weather = np.stack(
            [even["radiation_w_per_m2"], co2_kg_per_m3(ppm, temperature_c), temperature_c, vapour], axis=1
        )
        """From the first midnight on."""
        _check_days(path, self._weather[:, 0])

    def draw(self, generators: Sequence[np.random.Generator], num_steps: int) -> Array:
        """See `WeatherSource.draw`. Raises ConfigError if the file is shorter than an episode."""
        spare = len(self._weather) - num_steps
        if spare < 0:
            raise ConfigError(
                f"{self._path}: it holds {len(self._weather) / STEPS_PER_DAY:.2f} days from the first midnight on; the "
                f"crop and the moment of its harvest take {num_steps / STEPS_PER_DAY:.2f}; add days, or set num_days "
                "lower"
            )
        first = [STEPS_PER_DAY * int(generator.integers(spare // STEPS_PER_DAY + 1)) for generator in generators]
        return np.stack([self._weather[start : start + num_steps] for start in first], axis=-1)


def _read(path: Path) -> tuple[list[datetime], dict[str, Array]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this cannot be read as text in UTF-8: {error}") from error
    while rows and not rows[-1]:
        rows.pop()
    header = [name.strip() for name in rows[0]] if rows else []
    if len(header) == 1 and ";" in header[0]:
        raise ConfigError(
            f"{path}, line 1: its columns are separated by semicolons; write commas, and points in numbers"
        )
    for name in ("time", *_REQUIRED):
        if name not in header:
            raise ConfigError(f"{path}, line 1: there is no column {name}{suggestion(name, header)}")
    if len(rows) < 3:
        raise ConfigError(f"{path}: it holds {len(rows) - 1} lines of weather; it must hold at least a day")
    times: list[datetime] = []
    names = [name for name in _RANGES if name in header]
    values = np.empty((len(rows) - 1, len(names)))
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ConfigError(f"{path}, line {line}: it has {len(row)} values; the header names {len(header)}")
        times.append(_time(path, line, row[header.index("time")]))
        for column, name in enumerate(names):
            values[line - 2, column] = _number(path, line, name, row[header.index(name)])
    return times, dict(zip(names, values.T, strict=True))


def _time(path: Path, line: int, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(f"{path}, line {line}: {text!r} is no time; write it as 2024-03-01T00:15") from error
    if time.tzinfo is not None:
        raise ConfigError(
            f"{path}, line {line}: {text!r} is a time with an offset; write local solar time, without one"
        )
    return time


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        what = "is missing" if not text.strip() else f"is {text!r}"
        raise ConfigError(f"{path}, line {line}: {name} {what}; it must be a number; fill gaps yourself") from error
    low, high = _RANGES[name]
    if not low <= value <= high:
        hint = _unit_hint(name, value)
        raise ConfigError(f"{path}, line {line}: {name} is {value:g}; it must be from {low:g} to {high:g}{hint}")
    return value


def _unit_hint(name: str, value: float) -> str:
    if name == "temperature_c" and 200 < value < 340:
        return "; it looks like kelvin: subtract 273.15"
    if name == "co2_ppm" and 0 < value < 0.01:
        return "; it looks like a share or kg m-3: 400 ppm is a share of 0.0004"
    return ""


def _even_seconds(path: Path, times: list[datetime]) -> Array:
    """Return seconds since the first line; refuses gaps, repetitions and steps of other than a minute to an hour."""
    seconds = np.array([(time - times[0]).total_seconds() for time in times])
    steps = np.diff(seconds)
    usual = float(np.median(steps))
    if not 60 <= usual <= 3600:
        raise ConfigError(f"{path}: its lines are {usual / 60:g} min apart; they must be from 1 to 60 min apart")
    for index in np.flatnonzero(np.abs(steps - usual) > 1)[:1]:
        line = int(index) + 3
        what = "goes back or repeats" if steps[index] <= 0 else f"leaves a gap of {steps[index] / 3600:g} h"
        raise ConfigError(
            f"{path}, line {line}: the time {times[line - 2]} {what} after {times[line - 3]}; the other lines are "
            f"{usual / 60:g} min apart, and all must be"
        )
    return seconds


def _check_units(path: Path, name: str, values: Array) -> None:
    """Refuse columns within their range that are nevertheless in another unit."""
    if name == "radiation_w_per_m2" and values.max() < 5:
        raise ConfigError(f"{path}: {name} is never above {values.max():g}; it looks like kW m-2 or MJ m-2; give W m-2")
    if name == "temperature_c" and values.mean() > 38:
        raise ConfigError(f"{path}: {name} is {values.mean():.0f} on average; it looks like Fahrenheit; give Celsius")
    if name == "relative_humidity_percent" and values.max() <= 1:
        raise ConfigError(f"{path}: {name} is never above {values.max():g}; it looks like a share; give per cent")


def _check_days(path: Path, radiation_w_per_m2: Array) -> None:
    """Refuse files whose sun shines at night: their times are of another zone."""
    whole = len(radiation_w_per_m2) // STEPS_PER_DAY
    if whole == 0:
        raise ConfigError(f"{path}: it holds less than a whole day from midnight to midnight")
    by_hour = radiation_w_per_m2[: whole * STEPS_PER_DAY].reshape(whole, 24, -1).mean(axis=(0, 2))
    if by_hour[[22, 23, 0, 1]].sum() > by_hour[10:14].sum():
        raise ConfigError(
            f"{path}: there is more radiation around midnight than around noon; give times in local solar time"
        )
