"""Weather of the user's own: what a good file means, and what is said of a bad one."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from envs.farm.climate.lettuce_climate import LettuceClimate
from envs.farm.climate.weather_file import WeatherFile
from envs.farm.growth.air import co2_ppm
from rlplat.errors import ConfigError

HEADER = "time,radiation_w_per_m2,temperature_c,relative_humidity_percent,co2_ppm"


def lines(days=3, minutes=60, start="2024-03-01T00:00", zone_h=0):
    begin, rows = datetime.fromisoformat(start), [HEADER]
    for step in range(days * 1440 // minutes + 1):
        time = begin + timedelta(minutes=step * minutes)
        hour = (time.hour + time.minute / 60 - zone_h) % 24
        sun = max(0.0, 400 * np.sin(np.pi * (hour - 6) / 12))
        rows.append(f"{time.isoformat()},{sun:.1f},{8 + 4 * np.sin(np.pi * (hour - 8) / 12):.2f},80,420")
    return rows


def write(tmp_path, rows):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_hours_are_interpolated_to_quarters_from_the_first_midnight_on(tmp_path):
    path = write(tmp_path, lines(start="2024-03-01T18:00"))
    weather = WeatherFile(path).draw([np.random.default_rng(0)], 96)[:, :, 0]
    assert weather[[0, 24, 48, 72], 0] == pytest.approx([0, 0, 400, 0], abs=0.1)
    assert weather[49, 0] == pytest.approx(0.75 * weather[48, 0] + 0.25 * weather[52, 0])
    assert co2_ppm(weather[:, 1], weather[:, 2]) == pytest.approx(np.full(96, 420.0))


def test_a_file_that_begins_between_quarters_has_its_midnights_where_they_are(tmp_path):
    path = write(tmp_path, [*lines(minutes=15, start="2024-03-01T18:07"), "", ""])  # empty lines at the end are none
    weather = WeatherFile(path).draw([np.random.default_rng(0)], 96)[:, 0, 0]
    assert weather[40] == pytest.approx(400 * np.sin(np.pi * 4 / 12), abs=1), "at ten"


def test_an_episode_runs_on_it_and_its_seed_chooses_the_day(tmp_path):
    env = LettuceClimate(weather=str(write(tmp_path, lines(days=6))), num_days=2)
    first, _ = env.reset(seed=0)
    assert (env.reset(seed=0)[0]["policy"] == first["policy"]).all()
    for _ in range(192):
        _, _, terminated, _, _ = env.step(np.zeros(3, np.float32))
    assert terminated


def replaced(number, column, value):
    rows = lines()
    cells = rows[number - 1].split(",")
    cells[column] = value
    return [*rows[: number - 1], ",".join(cells), *rows[number:]]


def fahrenheit():
    rows = [line.split(",") for line in lines()]
    return [HEADER, *(",".join([a, b, f"{32 + 1.8 * float(c):.1f}", *rest]) for a, b, c, *rest in rows[1:])]


def dates():
    return [HEADER, *(f"{row[:10]}{row[row.index(',') :]}" for row in lines()[1:])]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            lines()[:30] + lines()[33:],
            r"mine.csv, line 31: the time .* leaves a gap of 4 h after .*; the other lines are 60",
        ),
        (lines()[:20] + lines()[19:], r"line 21: the time .* goes back or repeats"),
        (replaced(9, 0, "31.02.2024"), r"line 9: '31.02.2024' is no time; write it as 2024-03-01T00:15"),
        (
            replaced(9, 0, "2024-03-01T07:00Z"),
            r"line 9: '2024-03-01T07:00Z' is a time with an offset; write local solar",
        ),
        (replaced(9, 2, ""), r"line 9: temperature_c is missing; it must be a number; fill gaps yourself"),
        (replaced(9, 2, "nan"), r"line 9: temperature_c is nan; it must be from -60 to 60"),
        (replaced(9, 2, "281.2"), r"line 9: temperature_c is 281.2; .* it looks like kelvin"),
        (replaced(9, 4, "0.00042"), r"co2_ppm is 0.00042; .* 400 ppm is a share of 0.0004"),
        (replaced(9, 1, "-3"), r"radiation_w_per_m2 is -3; it must be from 0 to 1500"),
        (
            [HEADER.replace("temperature_c", "temp_c"), *lines()[1:]],
            r"line 1: there is no column temperature_c; did you",
        ),
        ([HEADER, "2024-03-01T00:00,0,8,80"], r"it holds 1 lines of weather|has 4 values"),
        (lines(zone_h=11), r"more radiation around midnight than around noon; give times in local solar time"),
        (
            [row.replace(",80,", ",0.8,") for row in lines()],
            r"relative_humidity_percent is never above 0.8; .* a share",
        ),
        (fahrenheit(), r"temperature_c is 46 on average; it looks like Fahrenheit"),
        ([row.replace(",", ";") for row in lines()], r"line 1: its columns are separated by semicolons; write commas"),
        (dates(), r"its lines are 0 min apart; they must be from 1 to 60"),
        (lines(minutes=180), r"its lines are 180 min apart; they must be from 1 to 60"),
    ],
)
def test_a_bad_file_gives_one_clear_message(tmp_path, rows, message):
    with pytest.raises(ConfigError, match=message):
        WeatherFile(write(tmp_path, rows))


def test_a_file_in_kilowatts_is_noticed(tmp_path):
    rows = [HEADER]
    for row in lines()[1:]:
        time, sun, *rest = row.split(",")
        rows.append(",".join([time, str(float(sun) / 1000), *rest]))
    with pytest.raises(ConfigError, match=r"never above 0.4; it looks like kW m-2"):
        WeatherFile(write(tmp_path, rows))


def test_a_file_shorter_than_the_crop_says_how_long_it_must_be(tmp_path):
    env = LettuceClimate(weather=str(write(tmp_path, lines(days=3))), num_days=40)
    with pytest.raises(ConfigError, match=r"holds 3.01 days from the first midnight on; the crop .* take 40.01"):
        env.reset(seed=0)
    exact = LettuceClimate(weather=str(write(tmp_path, lines(days=3, minutes=15)[:-1])), num_days=3)
    with pytest.raises(ConfigError, match=r"holds 3.00 days .* its harvest take 3.01; add days"):
        exact.reset(seed=0)
