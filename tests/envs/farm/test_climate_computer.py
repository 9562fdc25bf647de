"""The climate computer holds what a grower sets, and no more than the greenhouse can do."""

import numpy as np
import pytest

from envs.farm.climate.climate_computer import ClimateComputer
from envs.farm.climate.settings import ClimateSettings
from envs.farm.growth.greenhouse import GreenhouseModel
from envs.farm.growth.parameters import load_crop, load_greenhouse

MODEL = GreenhouseModel(load_crop("lettuce").canopy, load_greenhouse("van_henten"))
COMPUTER = ClimateComputer(ClimateSettings(), MODEL)
DAY, NIGHT = np.array([[300.0], [420.0], [5.0], [80.0]]), np.array([[0.0], [420.0], [5.0], [80.0]])
SET = np.array([[16.0], [20.0], [90.0], [1000.0]])


def inside(co2_ppm=1000.0, temperature_c=18.0, humidity_percent=80.0):
    return np.array([[100.0], [co2_ppm], [temperature_c], [humidity_percent]])


def test_within_the_set_points_only_what_is_lost_is_made_good():
    supply, vents, heating = COMPUTER.controls(SET, inside(temperature_c=16.0), NIGHT)[:, 0]
    assert (supply, vents) == (0, 0), "CO2 is for the day"
    assert heating == pytest.approx(6.1 * (16 - 5)), "what the walls lose"


def test_too_cold_is_heated_up_to_what_the_greenhouse_can_do():
    heating = [COMPUTER.controls(SET, inside(temperature_c=t), NIGHT)[2, 0] for t in (15.0, 12.0, 40.0)]
    assert heating[0] == pytest.approx(6.1 * 11 + 20) and heating[1] == pytest.approx(6.1 * 11 + 80)
    assert heating[2] == 0
    assert COMPUTER.controls(SET, inside(temperature_c=5.0), NIGHT)[2, 0] == 150


def test_vents_open_by_degrees_or_by_humidity():
    vents = [
        COMPUTER.controls(SET, inside(temperature_c=t, humidity_percent=rh), DAY)[1, 0] / 7.5e-3
        for t, rh in ((20.0, 90.0), (22.0, 80.0), (18.0, 95.0), (30.0, 80.0), (22.0, 95.0))
    ]
    assert vents == pytest.approx([0, 0.5, 0.25, 1, 0.5])


def test_co2_is_held_against_what_the_vents_let_out():
    state = np.array([[0.2], [1e-3], [18.0], [0.012]])
    weather = np.array([[300.0], [7.6e-4], [15.0], [0.009]])
    wanted = np.array([[0.0], [17.0], [100.0], [500.0]])
    for _ in range(20):
        outside = np.array([[300.0], [408.0], [15.0], [70.0]])
        controls = COMPUTER.controls(wanted, MODEL.outputs(state), outside)
        state = MODEL.step(state, controls, weather, 900.0)
    assert controls[1] > 0, "the vents are open"
    assert MODEL.outputs(state)[1, 0] == pytest.approx(500, abs=60)


def test_actions_are_offsets_from_the_limits_of_day_and_night_and_back():
    radiation = np.array([0.0, 300.0])
    low, high = (COMPUTER.set_points(np.full((2, 4), end, np.float32), radiation) for end in (0, 1))
    assert low.tolist() == [[5, 10], [10, 15], [70, 70], [400, 400]]
    assert high.tolist() == [[17, 22], [22, 27], [100, 100], [2000, 2000]]
    actions = np.random.default_rng(0).random((2, 4), dtype=np.float32)
    assert COMPUTER.actions(COMPUTER.set_points(actions, radiation), radiation) == pytest.approx(actions, abs=1e-6)
