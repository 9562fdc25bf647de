"""Van Henten 2003: the equations of the literature, properties, and the slips that public copies of it contain."""

from functools import cache

import numpy as np
import pytest
import van_henten_2003 as literature
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.farm.growth.air import co2_kg_per_m3, co2_ppm, saturation_kg_per_m3
from envs.farm.growth.greenhouse import GreenhouseModel
from envs.farm.growth.parameters import load_crop, load_greenhouse
from rlplat.errors import EnvError

CANOPY, GREENHOUSE = load_crop().canopy, load_greenhouse()
START = np.array([[0.0035], [1e-3], [15.0], [0.008]])
STEP_S = 900.0


def model(canopy=None, **greenhouse) -> GreenhouseModel:
    return GreenhouseModel(CANOPY.model_copy(update=canopy or {}), GREENHOUSE.model_copy(update=greenhouse))


def columns(*rows):
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1)


@cache
def rule_controlled(days=40, **greenhouse):
    """(last state, highest relative humidity in %, CO2 supplied in kg m-2) under the literature's simple rule."""
    house, state, humidity, supplied = model(**greenhouse), START, 0.0, 0.0
    for step in range(days * 96):
        weather = literature.weather_at(step / 4 % 24)
        controls = literature.rule(state[:, 0], weather[0])
        state = house.advance(state, columns(*controls), columns(*weather), STEP_S)
        humidity, supplied = max(humidity, house.outputs(state)[3, 0]), supplied + STEP_S * controls[0]
    return state, humidity, supplied


@given(
    st.tuples(st.floats(1e-4, 0.5), st.floats(6e-5, 5e-3), st.floats(4, 40), st.floats(1e-4, 0.04)),
    st.tuples(st.floats(0, 1.2e-6), st.floats(0, 7.5e-3), st.floats(0, 150)),
    st.tuples(st.floats(0.1, 1000), st.floats(5e-4, 1e-3), st.floats(-15, 35), st.floats(1e-4, 0.03)),
)
@settings(max_examples=60, deadline=None)
def test_the_derivative_equals_the_equations_of_the_literature(state, controls, weather):
    ours = model().derivative(columns(*state), columns(*controls), columns(*weather)).ravel()
    assert ours == pytest.approx(literature.change(state, controls, weather), rel=1e-9, abs=1e-15)


def test_a_trajectory_is_that_of_the_literatures_equations():
    state, ours = tuple(START.ravel()), START
    for step in range(96):
        weather = literature.weather_at(step / 4)
        controls = literature.rule(state, weather[0])
        ours = model().advance(ours, columns(*controls), columns(*weather), STEP_S)

        def add(slope, by_s, state=state):
            return tuple(x + by_s * dx for x, dx in zip(state, slope, strict=True))

        k1 = literature.change(state, controls, weather)
        k2 = literature.change(add(k1, STEP_S / 2), controls, weather)
        k3 = literature.change(add(k2, STEP_S / 2), controls, weather)
        k4 = literature.change(add(k3, STEP_S), controls, weather)
        state = add([(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)], STEP_S)
    assert ours.ravel() == pytest.approx(state, rel=1e-10)
    assert model().outputs(ours)[3, 0] == pytest.approx(literature.relative_humidity(state), rel=1e-6)


def test_a_step_of_fifteen_minutes_is_as_good_as_one_of_three():
    coarse = fine = START
    for step in range(96):
        weather = literature.weather_at(step / 4)
        controls = columns(*literature.rule(coarse[:, 0], weather[0]))
        coarse = model().advance(coarse, controls, columns(*weather), STEP_S)
        for _ in range(5):
            fine = model().advance(fine, controls, columns(*weather), STEP_S / 5)
    assert coarse == pytest.approx(fine, rel=1e-3)


def test_a_crop_in_the_dark_loses_weight():
    dark = columns(0, 5e-4, -5, 0.002)
    dark[1] = 7e-4
    assert model().derivative(START, columns(1e-6, 0, 100), dark)[0, 0] < 0


def test_photosynthesis_saturates_in_light_and_in_carbon_dioxide():
    n = 10
    states = np.repeat(columns(0.1, 1e-3, 20, 0.01), n, axis=1)
    controls, weather = np.zeros((3, n)), np.repeat(columns(300, 7e-4, 15, 0.008), n, axis=1)
    weather[0] = np.linspace(0, 900, n)
    by_light = model().derivative(states, controls, weather)[0]
    weather[0], states[1] = 300, np.linspace(2e-4, 5e-3, n)
    by_co2 = model().derivative(states, controls, weather)[0]
    for gain in (by_light, by_co2):
        assert (np.diff(gain) > 0).all() and (np.diff(gain, 2) < 0).all()


def test_growth_falls_above_30_degrees():
    states = np.repeat(columns(0.1, 1e-3, 20, 0.01), 3, axis=1)
    states[2] = [30, 34, 38]
    gain = model().derivative(states, np.zeros((3, 3)), np.repeat(columns(400, 7e-4, 20, 0.01), 3, axis=1))[0]
    assert gain[0] > gain[1] > gain[2]


@given(
    start=st.tuples(st.floats(0, 0.5), st.floats(0, 5e-3), st.floats(-10, 45), st.floats(0, 0.05)),
    steps=st.lists(
        st.tuples(
            st.tuples(st.floats(0, 1.2e-6), st.floats(0, 7.5e-3), st.floats(0, 150)),
            st.tuples(st.floats(0, 1200), st.floats(0, 2e-3), st.floats(-30, 45), st.floats(0, 0.05)),
        ),
        min_size=1,
        max_size=20,
    ),
)
@settings(max_examples=60, deadline=None)
def test_no_action_and_no_weather_makes_a_weight_or_density_negative(start, steps):
    house, state = model(), columns(*start)
    for controls, weather in steps:
        state = house.step(state, columns(*controls), columns(*weather), STEP_S)
        assert np.isfinite(state).all()
        assert (state[[0, 1, 3]] >= 0).all()


def test_carbon_dioxide_is_neither_made_nor_lost():
    """What the air gains is what was supplied and respired, less what the crop took and what left."""
    house = model(leakage_m_per_s=0.0)
    state, dark = columns(0.2, 1e-3, 25, 0.01), columns(0, 7e-4, 25, 0.01)
    change = house.derivative(state, columns(1e-6, 0, 0), dark)[:, 0]
    assert 4.1 * change[1] == pytest.approx(1e-6 + 0.2 * CANOPY.respired_co2_per_s, rel=1e-9)
    lit = house.derivative(state, columns(1e-6, 0, 0), columns(300, 7e-4, 25, 0.01))[:, 0]
    taken, grown = 4.1 * (change[1] - lit[1]), lit[0] - change[0]
    assert grown == pytest.approx(CANOPY.dry_weight_per_co2 * taken, rel=1e-9)


def test_without_respiration_and_in_constant_air_growth_is_expolinear():
    """Goudriaan & Monteith 1990, as in test_plant.py; so large a greenhouse does not change its air."""
    house = model(
        canopy={"respiration_per_s": 0.0},
        co2_capacity_m=1e12, vapour_capacity_m=1e12, heat_capacity_j_per_m2_c=1e15,
    )  # fmt: skip
    state, controls, weather = columns(0.0035, 1e-3, 20, 0.01), columns(0, 0, 0), columns(300, 7e-4, 15, 0.008)
    ceiling = house.derivative(columns(1e6, 1e-3, 20, 0.01), controls, weather)[0, 0]
    rate = ceiling * CANOPY.light_interception_m2_per_kg
    begin_s = -np.log(np.expm1(rate * state[0, 0] / ceiling)) / rate
    for _ in range(480):
        state = house.advance(state, controls, weather, 3600.0)
    assert state[0, 0] == pytest.approx(ceiling / rate * np.log1p(np.exp(rate * (480 * 3600 - begin_s))), rel=1e-8)


def test_limiting_factors_name_what_limits():
    house = model()
    states = np.repeat(columns(0.1, 1e-3, 22.5, 0.01), 2, axis=1)
    weather = np.repeat(columns(300, 7e-4, 15, 0.008), 2, axis=1)
    weather[0] = [0, 1500]
    limits = house.limits(states, weather)
    assert limits["light"] == pytest.approx([0, 0.75], abs=0.05)
    assert limits["co2"] == pytest.approx(1 - limits["light"])
    assert limits["temperature"] == pytest.approx([1, 1], abs=1e-4)
    assert limits["interception"] == pytest.approx(1 - np.exp([-5.3, -5.3]))
    assert house.limits(columns(0.1, 5e-5, 2, 0.01), weather[:, :1])["temperature"] == 0


def test_the_box_of_actions_reaches_every_state():
    """No control silently does nothing."""
    house, weather = model(), columns(200, 7e-4, 10, 0.006)
    still = house.step(START, np.zeros((3, 1)), weather, STEP_S)
    changed = [
        ~np.isclose(house.step(START, one[:, None] * house.max_controls[:, None], weather, STEP_S), still, rtol=1e-9)
        for one in np.eye(3)
    ]
    assert [row.ravel().tolist() for row in changed] == [
        [True, True, False, True],  # a larger crop transpires more
        [True, True, True, True],
        [True, True, True, True],
    ]


def test_a_step_too_large_a_control_out_of_the_box_and_not_a_number_are_refused():
    house, weather = model(), columns(200, 7e-4, 10, 0.006)
    off = np.zeros((3, 1))
    with pytest.raises(EnvError, match=r"step is 3600 s; it must be > 0 and at most \d{3,4} s, .* unstable"):
        house.step(START, off, weather, 3600.0)
    with pytest.raises(EnvError, match=r"controls at \[2, 0\] is 1.33333; it must be from 0 to 1"):
        house.step(START, columns(0, 0, 200), weather, STEP_S)
    with pytest.raises(EnvError, match=r"radiation_w_per_m2 at \[0\] is nan"):
        house.step(START, off, columns(np.nan, 7e-4, 10, 0.006), STEP_S)
    with pytest.raises(EnvError, match="dry weight number 0 became nan"):
        house.step(columns(0.1, 1e-3, np.nan, 0.01), off, weather, STEP_S)


def test_units_of_carbon_dioxide_and_humidity():
    assert co2_ppm(np.array(7.2e-4), np.array(15.0)) == pytest.approx(387, abs=1)
    assert co2_kg_per_m3(co2_ppm(np.array(1e-3), np.array(20.0)), np.array(20.0)) == pytest.approx(1e-3)
    # Saturated air at 20 C holds 17.3 g m-3 of water vapour.
    assert saturation_kg_per_m3(np.array(20.0)) == pytest.approx(0.0173, rel=0.01)


# Slips of public copies, each with its effect after 40 days under the same rule.


def test_closed_vents_leak_0_075_mm_per_second():
    assert GREENHOUSE.leakage_m_per_s == 0.75e-4
    (right, humidity, supplied), (slip, slip_humidity, slip_supplied) = (
        rule_controlled(),
        rule_controlled(leakage_m_per_s=7.5e-6),
    )
    assert slip[0, 0] / right[0, 0] == pytest.approx(1.007, abs=0.001)
    assert slip_supplied / supplied == pytest.approx(0.91, abs=0.005)
    assert slip_humidity - humidity == pytest.approx(3.0, abs=0.1)


def test_vents_let_vapour_out():
    """A printed equation has the leak alone; at the usual start, the derivative's sign then turns."""
    weather, open_vents = columns(300, 7e-4, 8, 0.006), columns(0, 7.5e-3, 0)
    shut = model().derivative(START, columns(0, 0, 0), weather)[3, 0]
    vented = model().derivative(START, open_vents, weather)[3, 0]
    assert shut > 0 > vented
    assert vented == pytest.approx(shut - 7.5e-3 * (0.008 - 0.006) / 4.1, rel=1e-9)


def test_relative_humidity_is_100_per_cent_in_saturated_air():
    """With 9348 for 10998, which is for the leaf, it would read 17.6 % too much."""
    state = columns(0.1, 1e-3, 20, saturation_kg_per_m3(np.array(20.0)))
    assert model().outputs(state)[3, 0] == pytest.approx(100, rel=1e-9)
    slip = model(saturation_vapour_j_per_m3=GREENHOUSE.leaf_vapour_j_per_m3).outputs(state)[3, 0]
    assert slip == pytest.approx(117.6, abs=0.1)
