"""Van Henten 1994: published values, properties, and the slips that public copies of it contain."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import van_henten_1994 as literature
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.farm.growth.integrator import rk4_step
from envs.farm.growth.parameters import load_crop
from envs.farm.growth.plant import Climate, PlantModel, beer
from rlplat.errors import EnvError

LETTUCE = load_crop().plant
PAR_PER_PPFD = 0.217
"""W m-2 per umol m-2 s-1."""
START = np.array([[0.3 * 2.94], [0.7 * 2.94]])
"""g m-2; 2.94 in all, three tenths of it reserves."""


def model(**changes) -> PlantModel:
    return PlantModel(LETTUCE.model_copy(update=changes))


def field(plant: PlantModel):
    """A closed canopy at 1 plant m-2, so that g per plant are g m-2."""
    return beer(1.0, plant.parameters.light_extinction)


def grow(plant, *, days, ppfd, hours=16, temperature_c=24.0, co2_ppm=1200.0, step_s=3600.0, start=START):
    """Plants after some days of light from 0 to `hours`, at every step; `[steps + 1, 2, N]`."""
    states = [start]
    for step in range(round(days * 86400 / step_s)):
        lit = step * step_s % 86400 < hours * 3600
        air = Climate(temperature_c, np.multiply(ppfd, PAR_PER_PPFD * lit), co2_ppm)
        states.append(plant.step(states[-1], air, step_s, field(plant)))
    return np.array(states)


@cache
def forty_days(**changes):
    return grow(model(**changes), days=40, ppfd=300, temperature_c=20.0, co2_ppm=1000.0)[-1].sum()


def test_a_published_doctest_value_is_met_to_twelve_digits():
    plant = model(growth_saturation=1.1981, root_fraction=0.15)
    dark = plant.derivative(np.array([[10.0], [10.0]]), Climate(25.0, 0.0, 400.0), field(plant)).ravel()
    # MarekWadinger/ecompc-greenhouse-platform
    assert dark == pytest.approx([-3.9089534986674615e-05, 2.8772827989339694e-05], rel=1e-12, abs=0)


@pytest.mark.parametrize("air", [(18.0, 120.0, 800.0), (24.0, 0.0, 1200.0), (9.0, 40.0, 380.0), (32.0, 300.0, 600.0)])
def test_the_derivative_equals_the_equations_of_the_literature(air):
    plant = model()
    ours = plant.derivative(np.array([[12.0], [55.0]]), Climate(*air), field(plant)).ravel()
    assert ours == pytest.approx(literature.change(12.0, 55.0, *air), rel=1e-12, abs=0)


def test_light_use_is_as_published_within_15_per_cent_and_falls_with_light():
    measured = {200: 1.01, 400: 0.87, 750: 0.76}  # g dry weight per mol; Carotti 2021, Front. Plant Sci. 11:592171
    plant, mol = model(), 29 * 16 * 3600 * 1e-6 * np.array(list(measured))
    grown = grow(plant, days=29, ppfd=np.array(list(measured)), start=np.repeat(START, 3, axis=1))[-1]
    ours = plant.shoot_dry_weight_g(grown) / mol
    assert ours == pytest.approx(list(measured.values()), rel=0.15)
    assert ours[0] > ours[1] > ours[2]
    assert ours == pytest.approx([0.929, 0.829, 0.682], rel=0.01), "as an independent implementation found"


def test_a_step_of_fifteen_minutes_is_as_good_as_one_of_five():
    coarse, fine = (grow(model(), days=1, ppfd=300, step_s=step_s)[-1] for step_s in (900.0, 300.0))
    assert coarse == pytest.approx(fine, rel=1e-7)


@given(
    reserves=st.floats(0, 200), structure=st.floats(0.01, 500), temperature_c=st.floats(-5, 45), co2=st.floats(0, 3000)
)
@settings(max_examples=50, deadline=None)
def test_a_plant_in_the_dark_loses_weight(reserves, structure, temperature_c, co2):
    plant = model()
    state = np.array([[reserves], [structure]])
    after = plant.step(state, Climate(temperature_c, 0.0, co2), 3600.0, field(plant))
    assert after.sum() < state.sum()


def test_photosynthesis_saturates_in_light_and_in_carbon_dioxide():
    plant = model()
    state = np.array([[5.0], [40.0]])

    def gain(par, co2):
        return plant.rates(state, Climate(22.0, par, co2), field(plant)).photosynthesis[0]

    for values in (
        [gain(par, 800.0) for par in range(0, 500, 50)],
        [gain(150.0, co2) for co2 in range(100, 3000, 300)],
    ):
        steps = np.diff(values)
        assert (steps > 0).all() and (np.diff(steps) < 0).all()
    assert gain(1000.0, 800.0) / gain(500.0, 800.0) < 1.15
    assert gain(150.0, 1e5) / gain(150.0, 1e4) < 1.1


def test_yield_falls_in_heat():
    hot_c = np.array([30.0, 34.0, 38.0])
    totals = grow(model(), days=10, ppfd=300, temperature_c=hot_c, start=np.repeat(START, 3, axis=1))[-1].sum(axis=0)
    assert totals[0] > totals[1] > totals[2]


def test_the_carbon_balance_closes():
    plant, step_s = model(), 1800.0
    states = grow(plant, days=1, ppfd=300, step_s=step_s)
    total = 0.0
    for step, (before, after) in enumerate(pairwise(states)):
        air = Climate(24.0, 300 * PAR_PER_PPFD * (step * step_s % 86400 < 16 * 3600), 1200.0)
        nets = []
        for state in (before, (before + after) / 2, after):
            now = plant.rates(state, air, field(plant))
            nets.append(now.photosynthesis - now.respiration - now.growth_loss)
        total += step_s * (nets[0] + 4 * nets[1] + nets[2])[0] / 6  # Simpson's rule
    assert total == pytest.approx((states[-1] - states[0]).sum(), rel=5e-5)


@given(
    reserves=st.floats(0, 50),
    structure=st.floats(0, 300),
    climates=st.lists(st.tuples(st.floats(-10, 50), st.floats(0, 500), st.floats(0, 3000)), min_size=1, max_size=20),
    step_s=st.sampled_from([900.0, 3600.0, 86400.0]),
)
@settings(max_examples=80, deadline=None)
def test_no_climate_makes_a_state_negative_or_not_a_number(reserves, structure, climates, step_s):
    plant, state = model(), np.array([[reserves], [structure]])
    for climate in climates:
        state = plant.step(state, Climate(*climate), step_s, field(plant))
        assert np.isfinite(state).all() and (state >= 0).all()


def test_a_starving_plant_loses_structure_and_no_more_weight_than_it_respires():
    plant, dark = model(), Climate(20.0, 0.0, 400.0)
    state = np.array([[0.0], [10.0]])
    after = plant.step(state, dark, 3600.0, field(plant))
    respired = 3600 * plant.rates(state, dark, field(plant)).respiration[0]
    assert after[0] == 0 and after.sum() == pytest.approx(10 - respired, rel=1e-5)


def test_many_plants_grow_as_each_alone():
    plant = model()
    states = np.array([[1.0, 4.0, 0.0, 20.0], [2.0, 30.0, 0.0, 90.0]])
    together = plant.step(states, Climate(22.0, 100.0, 900.0), 900.0, field(plant))
    for i in range(4):
        alone = plant.step(states[:, i : i + 1], Climate(22.0, 100.0, 900.0), 900.0, field(plant))
        assert together[:, i] == pytest.approx(alone[:, 0], rel=1e-12)


def test_a_plant_takes_half_the_light_of_a_plant_at_half_the_density_once_the_canopy_is_closed():
    leaves_m2 = np.array([1.0])
    assert beer(40.0, 0.9)(leaves_m2) == pytest.approx(beer(20.0, 0.9)(leaves_m2) / 2, rel=1e-6)
    assert beer(1e-6, 0.9)(leaves_m2) == pytest.approx(0.9 * leaves_m2, rel=1e-5), "alone, its leaves shade nobody"


def test_vigour_multiplies_growth_and_nothing_else_and_must_be_a_share():
    plant, air = model(), Climate(22.0, 40.0, 1000.0)
    state = np.array([[3.0, 3.0], [7.0, 7.0]])
    whole, weak = (plant.rates(state, air, field(plant), vigour) for vigour in (1.0, np.array([1.0, 0.4])))
    assert weak.growth == pytest.approx(whole.growth * [1.0, 0.4], rel=1e-12)
    assert (weak.photosynthesis == whole.photosynthesis).all() and (weak.respiration == whole.respiration).all()
    assert (plant.step(state, air, 3600.0, field(plant), 0.0)[1] == state[1]).all(), "no growth: no new structure"
    with pytest.raises(EnvError, match="vigour"):
        plant.step(state, air, 3600.0, field(plant), 1.2)


def test_limiting_factors_name_what_limits():
    plant, state = model(), np.array([[5.0], [40.0]])

    def limits(temperature_c, par, co2):
        return plant.rates(state, Climate(temperature_c, par, co2), field(plant))

    assert limits(22.0, 0.0, 400.0).light_limit == 0
    assert limits(22.0, 1000.0, 400.0).light_limit > 0.9
    assert limits(22.0, 50.0, 1e5).co2_limit > 0.95
    assert limits(22.0, 50.0, 40.0).co2_limit == 0, "below the compensation point at 22 C"
    assert limits(22.5, 50.0, 400.0).temperature_limit == pytest.approx(1, abs=1e-6)
    assert limits(2.0, 50.0, 400.0).temperature_limit == 0
    assert plant.rates(np.array([[0.0], [4.0]]), Climate(22.0, 9.0, 400.0), field(plant)).reserve_limit == 0


def test_without_losses_growth_is_expolinear():
    """Goudriaan & Monteith 1990: W = C/R ln(1 + exp(R (t - t_b))) solves dW/dt = C (1 - exp(-R W / C)), which is
    Monteith's growth by intercepted light."""
    plant = model(
        growth_yield=1.0, shoot_respiration_per_s=0.0, root_respiration_per_s=0.0, root_fraction=0.0,
        growth_rate_per_s=0.03, growth_q10=1.0,  # reserves turn into structure at once
    )  # fmt: skip
    state, air = np.array([[1e-9], [1.0]]), Climate(20.0, 100.0, 1000.0)
    per_ground = plant.rates(np.array([[0.0], [1e5]]), air, field(plant)).photosynthesis[0]  # C, g m-2 s-1
    per_weight = per_ground * LETTUCE.light_extinction * LETTUCE.leaf_area_m2_per_g  # R, s-1
    start_s = -np.log(np.expm1(per_weight * 1.0 / per_ground)) / per_weight  # t_b, so that W(0) = 1 g
    for _ in range(1500):
        state = plant.step(state, air, 40.0, field(plant))
    expected = per_ground / per_weight * np.log1p(np.exp(per_weight * (60_000 - start_s)))
    assert state.sum() == pytest.approx(expected, rel=3e-3)


def test_the_integrator_meets_the_closed_form_of_expolinear_growth():
    ceiling, rate = 20.0, 0.3  # g m-2 d-1, d-1
    weight = np.array([1.0])
    begin = -np.log(np.expm1(rate * weight / ceiling)) / rate
    for _ in range(400):
        weight = rk4_step(lambda w: ceiling * -np.expm1(-rate * w / ceiling), weight, 0.1)
    assert weight == pytest.approx(ceiling / rate * np.log1p(np.exp(rate * (40 - begin))), rel=1e-8)


def test_a_step_too_large_a_climate_out_of_range_and_not_a_number_are_refused():
    plant, air = model(), Climate(20.0, 100.0, 400.0)
    with pytest.raises(EnvError, match=r"step is 604800 s; it must be > 0 and at most \d+ s"):
        plant.step(START, air, 7 * 86400.0, field(plant))
    with pytest.raises(EnvError, match=r"temperature_c is nan; it must be from -40 to 60"):
        plant.step(START, Climate(np.nan, 100.0, 400.0), 900.0, field(plant))
    with pytest.raises(EnvError, match=r"co2_ppm at \[1\] is -1"):
        plant.step(START, Climate(20.0, 100.0, np.array([400.0, -1.0])), 900.0, field(plant))
    with pytest.raises(EnvError, match=r"state at \[0, 0\] is nan"):
        plant.step(np.array([[np.nan], [1.0]]), air, 900.0, field(plant))


# Slips of public copies, each with its effect on the dry weight after 40 days. The shipped parameters are those of the
# literature, and the tests would see the slip.


def test_the_compensation_point_is_40_ppm_at_20_c_and_not_the_growth_constant():
    plant = model()
    at, above = (plant.rates(START, Climate(20.0, 50.0, co2), field(plant)).photosynthesis[0] for co2 in (40.0, 41.0))
    assert at == 0 and above > 0
    assert forty_days(compensation_ppm=1.1981) / forty_days() > 1.08


def test_a_ppm_of_carbon_dioxide_weighs_1_83_mg_per_cubic_metre():
    assert LETTUCE.co2_density_g_per_m3_ppm == pytest.approx(44.01 / (8.314 * 288.15) * 101325 * 1e-6, rel=0.02)
    assert forty_days(co2_density_g_per_m3_ppm=7.32e-3) / forty_days() > 1.15


def test_the_boundary_layer_conducts_7_mm_per_second():
    assert LETTUCE.boundary_conductance_m_per_s == 0.007
    assert forty_days(boundary_conductance_m_per_s=7.2e-4) / forty_days() < 0.75


def test_boundary_and_stomata_are_not_4_and_7_mm_per_second():
    assert LETTUCE.stomatal_conductance_m_per_s == 0.005
    slip = forty_days(boundary_conductance_m_per_s=0.004, stomatal_conductance_m_per_s=0.007)
    assert 0.96 < slip / forty_days() < 0.99


def test_growth_answers_to_carbon_dioxide_and_temperature():
    """In one copy the crop overwrites both with constants."""
    base, poor, cold = grow(
        model(),
        days=5,
        ppfd=300,
        temperature_c=np.array([24.0, 24.0, 12.0]),
        co2_ppm=np.array([1200.0, 400.0, 1200.0]),
        start=np.repeat(START, 3, axis=1),
    )[-1].sum(axis=0)
    assert poor < 0.9 * base and cold < 0.9 * base
